"""Writers, listeners and a probe on the cluster, and one failover after the other."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

from domain.user import Role
from tests.chaos.fault_run import LISTENERS, FaultRun, FollowerTask
from tests.ha.cluster import ClusterDeployment
from tests.ha.kinds import Kind
from tests.ha.probe import Probe
from tests.ha.results import Cycle, Part
from tests.ha.verdict import is_new_epoch, judge_asynchronous, judge_synchronous
from verification.client.writer import TaskWriter

FEW: Final = LISTENERS
MANY: Final = (*LISTENERS, *("alice", "carol", "erin", "frank") * 24)
"""The users of the clients that listen."""
PAUSE_SECONDS: Final = (0.2, 0.6)
SETTLED_SECONDS: Final = 2.0
"""Between two faults."""
REPLICATION_DELAY_SECONDS: Final = 0.3
"""Without synchronous replication, standbys are behind by this time, so that a failover loses changes."""


class ClusterRun(FaultRun[ClusterDeployment]):
    """A run on the cluster. Without synchronous replication, rights do not change: their changes could be lost, too."""

    def __init__(self, on: ClusterDeployment, listeners: Sequence[str], *, seed: int) -> None:
        self._synchronous = on.cluster.shape.synchronous
        super().__init__(on, seed=seed, projects=self._synchronous, listeners=listeners, pause=PAUSE_SECONDS)

    async def part(self, kinds: Sequence[Kind], say: Callable[[Cycle], None]) -> Part:
        """Inject these faults, one after another, and judge."""
        cycles = []
        async with self._probing() as probe:
            for turn, kind in enumerate(kinds):
                cycles.append(await self.one(kind, turn, probe))
                say(cycles[-1])
        await self.settle("the end")
        outcome = await self.outcome(len(kinds), 0.0)
        answers = {key: facts for writer in self.writers for key, facts in writer.answers.items()}
        judge = judge_synchronous if self._synchronous else judge_asynchronous
        verdict = await asyncio.to_thread(judge, outcome.history, answers)
        return Part(cycles, verdict, outcome.logged_errors, dict(outcome.failures), outcome.reconnects)

    @asynccontextmanager
    async def _probing(self) -> AsyncIterator[Probe]:
        async with self.running():
            await self.stack.a_user("probe", Role.USER)
            writer = TaskWriter(self.stack.account("probe"), "probe")
            self.writers.append(writer)
            async with Probe(writer).running() as probe:
                await probe.succeeds()
                yield probe

    async def one(self, kind: Kind, turn: int, probe: Probe) -> Cycle:
        """One fault, until the cluster is as it was and all listeners have everything."""
        self._delay_replication(0.0 if self._synchronous else REPLICATION_DELAY_SECONDS)
        await asyncio.sleep(SETTLED_SECONDS)
        before, begun = await self.stack.cluster.primary(), time.monotonic()
        side = asyncio.create_task(self._change_something(turn))
        counted_from = await kind.inject(self.stack, probe)
        self._delay_replication(0.0)  # standbys catch up fast
        await self.stack.cluster.healthy()
        await side
        seconds = probe.seconds_without_writes(begun, counted_from)  # `settle` keeps this process busy for seconds
        if not self._synchronous:
            self._forget_tasks()
        await self.settle(kind.name)
        resynced = sum(_got_new_epoch(each, begun) for each in self.followers)
        replaced = await self.stack.cluster.primary() is not before
        return Cycle(kind.name, round(seconds, 2), resynced, len(self.followers), replaced)

    async def _change_something(self, turn: int) -> None:
        if self._synchronous:
            await self.change_rights(turn)

    def _delay_replication(self, seconds: float) -> None:
        wires = [node.replication for node in self.stack.cluster.nodes]
        self.stack.cluster.network.delay(wires, seconds)

    def _forget_tasks(self) -> None:
        """What writers know may be lost."""
        self.known.clear()
        self.deleted.clear()


def _got_new_epoch(follower: FollowerTask, since: float) -> bool:
    items = (item for connection in follower.recorder.listener.connections for item in connection.items)
    return any(item.received >= since and is_new_epoch(item) for item in items)
