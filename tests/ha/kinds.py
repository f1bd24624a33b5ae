"""The kinds of failovers and other faults, one at a time.

Each function returns when writes work again, with the time from which the interruption counts. What it has stopped is
started again when it ends.
"""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Literal

from tests.chaos.proxy import Proxy
from tests.ha.cluster import ClusterDeployment, Shape
from tests.ha.etcd import leader_of
from tests.ha.haproxy import HARD_STOP_SECONDS
from tests.ha.node import TTL_SECONDS
from tests.ha.probe import Probe
from tests.support.waiting import HANG_SECONDS

CUT_SECONDS: Final = 15.0
"""Longer than the time-outs of replication."""
LOST_SECONDS: Final = TTL_SECONDS + 10.0
"""Longer than a primary stays one that cannot report itself to etcd."""
AFTER_SECONDS: Final = 3.0
"""How long a node that was replaced stays away after writes work again."""

Inject = Callable[[ClusterDeployment, Probe], Awaitable[float]]


@dataclass(frozen=True)
class Kind:
    """A kind of fault: its name in the table, and within how many seconds writes must work again.

    *needs*: which part the cluster must have.
    """

    name: str
    goal: float
    inject: Inject
    needs: Literal["pooler", "sentinel"] | None = None

    def fits(self, shape: Shape) -> bool:
        """Whether a cluster has what this fault needs."""
        return self.needs is None or bool(getattr(shape, self.needs))


async def kill_postgres(on: ClusterDeployment, probe: Probe) -> float:
    """SIGKILL of the primary's PostgreSQL; Patroni keeps running, and lets a standby take over if one can."""
    old, begun = await on.cluster.primary(), time.monotonic()
    old.kill_postgres()
    await probe.succeeds()
    return begun


async def switch_over(on: ClusterDeployment, probe: Probe) -> float:
    """A switchover that an operator requests."""
    old, begun = await on.cluster.primary(), time.monotonic()
    async with asyncio.timeout(HANG_SECONDS):
        # On a busy machine, Patroni may not know the state of its standby in time, and refuses.
        while not await old.switch_over() and await on.cluster.primary() is old:
            await asyncio.sleep(AFTER_SECONDS)
            begun = time.monotonic()
    await on.cluster.other_primary(old)
    await probe.succeeds()
    return begun


async def freeze_node(on: ClusterDeployment, probe: Probe) -> float:
    """The primary's node stops for a while, and comes back after another one has taken over."""
    old, begun = await on.cluster.primary(), time.monotonic()
    old.freeze()
    try:
        await on.cluster.other_primary(old)
        await probe.succeeds()
        await asyncio.sleep(AFTER_SECONDS)
    finally:
        old.thaw()
    return begun


async def lose_node(on: ClusterDeployment, probe: Probe) -> float:
    """SIGKILL of Patroni and PostgreSQL on the primary's node, which is started again later."""
    old, begun = await on.cluster.primary(), time.monotonic()
    old.kill()
    await on.cluster.other_primary(old)
    await probe.succeeds()
    await asyncio.sleep(AFTER_SECONDS)
    on.cluster.start_node(old)
    return begun


async def cut_standbys(on: ClusterDeployment, probe: Probe) -> float:
    """The standbys do not reach the primary for a while. It stays the primary, and the time counts from the end."""
    primary = await on.cluster.primary()
    await _cut(on, primary.wires_of_standbys, asyncio.sleep(CUT_SECONDS))
    ended = time.monotonic()
    await probe.succeeds()
    return ended


async def isolate(on: ClusterDeployment, probe: Probe) -> float:
    """The primary does not reach etcd, and the standbys do not reach the primary; clients still do."""
    old, begun = await on.cluster.primary(), time.monotonic()

    async def replaced() -> None:
        await on.cluster.other_primary(old)
        await probe.succeeds()
        await asyncio.sleep(AFTER_SECONDS)

    await _cut(on, [*old.wires_of_standbys, *old.etcd_wires], replaced())
    return begun


async def kill_etcd_leader(on: ClusterDeployment, probe: Probe) -> float:
    """SIGKILL of the leader of etcd, which is started again after another one was elected."""
    leader, begun = await leader_of(on.cluster.etcd), time.monotonic()
    leader.kill()
    await leader_of([each for each in on.cluster.etcd if each is not leader])
    await asyncio.sleep(AFTER_SECONDS)
    leader.start(on.cluster.etcd)
    await probe.succeeds()
    return begun


async def lose_etcd(on: ClusterDeployment, probe: Probe) -> float:
    """SIGKILL of all of etcd, for longer than `ttl`. With failsafe_mode the primary stays: it reaches all nodes.

    The mode is on during this fault only: it changes what the other ones do.
    """
    etcd, primary = on.cluster.etcd, await on.cluster.primary()
    await on.cluster.set_failsafe(on=True)
    begun = time.monotonic()
    for member in etcd:
        member.kill()
    try:
        await on.cluster.failsafe_begins(primary)
        await asyncio.sleep(LOST_SECONDS)
        assert await on.cluster.primary() is primary
    finally:
        for member in etcd:
            member.start(etcd)
    await probe.succeeds()
    await on.cluster.set_failsafe(on=False)
    assert await on.cluster.primary() is primary
    return begun


async def reload_haproxy(on: ClusterDeployment, probe: Probe) -> float:
    """HAProxy reads its configuration again; its old process ends the connections from before."""
    begun = time.monotonic()
    on.cluster.haproxy.reload()
    await asyncio.sleep(HARD_STOP_SECONDS + AFTER_SECONDS)
    await probe.succeeds()
    return begun


async def roll_api(on: ClusterDeployment, probe: Probe) -> float:
    """The server processes are restarted, one after the other."""
    begun = time.monotonic()
    for process in on.processes:
        process.signal(signal.SIGTERM)
        await process.ended()
        process.launch()
        await process.ready()
    await probe.succeeds()
    return begun


async def restart_pgbouncer(on: ClusterDeployment, probe: Probe) -> float:
    """PgBouncer ends at once, with its connections, and starts again."""
    begun = time.monotonic()
    assert on.cluster.pgbouncer is not None
    await on.cluster.pgbouncer.restart()
    await asyncio.sleep(AFTER_SECONDS)
    await probe.succeeds()
    return begun


async def fail_redis_over(on: ClusterDeployment, probe: Probe) -> float:
    """SIGKILL of the master of Redis; the Sentinels promote its replica."""
    assert on.cluster.redis is not None
    master = await on.cluster.redis.healthy()
    begun = time.monotonic()
    await on.cluster.redis.fail_over(master)
    await probe.succeeds()
    return begun


KINDS: Final = (
    Kind("kill -9 of PostgreSQL", 10, kill_postgres),
    Kind("switchover", 10, switch_over),
    Kind("freeze of the node", 35, freeze_node),
    Kind("loss of the node", 35, lose_node),
    Kind("cut from the standbys", 10, cut_standbys),
    Kind("cut from etcd and standbys", 35, isolate),
    Kind("loss of etcd's leader", 35, kill_etcd_leader),  # a long election is like a cut from etcd
    Kind("reload of HAProxy", 10, reload_haproxy),
    Kind("restart of PgBouncer", 10, restart_pgbouncer, needs="pooler"),
    Kind("failover of Redis", 10, fail_redis_over, needs="sentinel"),
    Kind("rolling restart of the API", 10, roll_api),
    Kind("loss of etcd with failsafe_mode", 5, lose_etcd),
)


async def _cut(on: ClusterDeployment, wires: list[Proxy], meanwhile: Awaitable[None]) -> None:
    """Cut these connections until *meanwhile* is done."""
    on.cluster.network.cut(wires)
    try:
        await meanwhile
    finally:
        on.cluster.network.restore(wires)
