"""The cluster: nodes with Patroni and PostgreSQL, etcd, HAProxy, PgBouncer, Valkey, and server processes."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import asyncpg

from domain.events import LoggedEvent
from embedded.valkey import Valkey
from persistence import migrations
from persistence.database import Database
from persistence.models import UserRow
from tests.chaos.process import Process
from tests.chaos.stack import Deployment, environment
from tests.ha.etcd import MEMBERS, EtcdMember, leader_of
from tests.ha.haproxy import HAProxy
from tests.ha.network import Network
from tests.ha.node import Node, Passwords
from tests.ha.pgbouncer import PgBouncer
from tests.ha.programs import Programs
from tests.ha.sentinel import RedisCluster
from tests.support.waiting import HANG_SECONDS

NODES: Final = 3
PROCESSES: Final = 3
_USER: Final = "taskriver"
_RUNNING: Final = ("running", "streaming")
_ROLE_SETTINGS: Final = {
    "statement_timeout": "'3000ms'",
    "lock_timeout": "'2000ms'",
    "idle_in_transaction_session_timeout": "'10000ms'",
    "jit": "off",
}
"""Settings of the role: a pooler does not pass on what a connection wants."""
_SETTINGS: Final = {
    "SHUTDOWN_SECONDS": "5",
    "SIGN_INS_PER_ACCOUNT": "100000",
    "REFRESHES_PER_SESSION": "10000",
    "SOCKETS_PER_USER": "500",
    "SOCKETS_PER_ADDRESS": "5000",
}
MOST_BEHIND_BYTES: Final = 256 * 1024
_FOLLOWING: Final = """
SELECT count(*) FROM pg_stat_replication
    WHERE state = 'streaming' AND pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn) < $1::bigint
"""
ResultT = TypeVar("ResultT")


@dataclass(frozen=True)
class Shape:
    """What the cluster has: synchronous replication, PgBouncer, and Sentinels instead of a single Valkey."""

    synchronous: bool
    pooler: bool
    sentinel: bool


@dataclass
class Cluster:
    """The database servers and what leads to the primary."""

    shape: Shape
    nodes: list[Node]
    etcd: list[EtcdMember]
    haproxy: HAProxy
    pgbouncer: PgBouncer | None
    redis: RedisCluster | None
    network: Network
    passwords: Passwords

    @property
    def direct_url(self) -> str:
        """The URL of the database, through HAProxy."""
        return self._url(self.haproxy.port)

    @property
    def url(self) -> str:
        """The URL of the database for the product."""
        return self.direct_url if self.pgbouncer is None else self._url(self.pgbouncer.port)

    @property
    def settings(self) -> dict[str, str]:
        """The settings of the product that depend on the shape."""
        if self.pgbouncer is None:
            return {}
        return {"DATABASE_POOLER": self.pgbouncer.kind, "DATABASE_DIRECT_URL": self.direct_url}

    def _url(self, port: int) -> str:
        return f"postgresql+asyncpg://{_USER}:{self.passwords.superuser}@127.0.0.1:{port}/{_USER}"

    def start_node(self, node: Node) -> None:
        """Start a node for the first time, or after `Node.kill`."""
        node.start(self.passwords, synchronous=self.shape.synchronous)

    async def members(self) -> list[dict[str, Any]]:
        """The members of the cluster, as a node that answers knows them."""
        for node in self.nodes:
            answer = await node.ask("/cluster")
            if answer is not None and answer.get("members"):
                found: list[dict[str, Any]] = answer["members"]
                return found
        return []

    async def primary(self) -> Node:
        """The node that says it is the primary; waits for one."""
        async with asyncio.timeout(HANG_SECONDS):
            while True:
                for node in self.nodes:
                    answer = await node.ask("/patroni")
                    if answer is not None and answer.get("role") in ("master", "primary") and _has_started(answer):
                        return node
                await asyncio.sleep(0.1)

    async def other_primary(self, old: Node) -> Node:
        """The primary after *old*; waits for it."""
        async with asyncio.timeout(HANG_SECONDS):
            while True:
                for node in self.nodes:
                    answer = await node.ask("/primary") if node is not old else None
                    if answer is not None and answer.get("role") in ("master", "primary") and _has_started(answer):
                        return node
                await asyncio.sleep(0.1)

    async def healthy(self) -> None:
        """Wait until all standbys receive changes, and one of them is synchronous if one should be."""
        async with asyncio.timeout(HANG_SECONDS):
            while not (self._are_healthy(await self.members()) and await self._all_receive()):
                for service in (*self.etcd, *self.nodes, self.haproxy):
                    service.check()
                await asyncio.sleep(0.3)
        await leader_of(self.etcd)

    async def set_failsafe(self, *, on: bool) -> None:
        """Turn failsafe_mode on or off, and wait until all nodes know it. If it is on, they know each other, too."""
        primary = await self.primary()
        async with asyncio.timeout(HANG_SECONDS):
            while not await primary.configure(failsafe_mode=on):
                await asyncio.sleep(0.2)
            while not all([await _knows_failsafe(node, on=on) for node in self.nodes]):
                await asyncio.sleep(0.2)

    async def failsafe_begins(self, primary: Node) -> None:
        """Wait until this primary goes on without etcd."""
        async with asyncio.timeout(HANG_SECONDS):
            while not (await primary.ask("/patroni") or {}).get("failsafe_mode_is_active"):
                await asyncio.sleep(0.2)

    def _are_healthy(self, members: list[dict[str, Any]]) -> bool:
        roles = [each.get("role") for each in members if each.get("state") in _RUNNING]
        timelines = {each.get("timeline") for each in members}
        has_standby = "sync_standby" in roles or not self.shape.synchronous
        return len(roles) == NODES and "leader" in roles and len(timelines) == 1 and has_standby

    async def _all_receive(self) -> bool:
        """Whether all standbys have replayed what the primary has written, but for the last changes."""
        try:
            connection = await self.connect((await self.primary()).postgres_port)
        except (OSError, asyncpg.PostgresError):
            return False
        try:
            return bool(await connection.fetchval(_FOLLOWING, MOST_BEHIND_BYTES, timeout=5) == NODES - 1)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False
        finally:
            connection.terminate()

    async def connect(self, port: int) -> Any:
        """A connection as the superuser."""
        return await asyncpg.connect(
            host="127.0.0.1", port=port, user="postgres", password=self.passwords.superuser, timeout=5
        )

    async def create_database(self) -> None:
        """Create the database of the product, and its owner."""
        connection = await self.connect((await self.primary()).postgres_port)
        try:
            await connection.execute(f"CREATE ROLE {_USER} LOGIN PASSWORD '{self.passwords.superuser}'")
            for name, value in _ROLE_SETTINGS.items():
                await connection.execute(f"ALTER ROLE {_USER} SET {name} = {value}")
            await connection.execute(f"CREATE DATABASE {_USER} OWNER {_USER}")
        finally:
            await connection.close()


@dataclass
class ClusterDeployment(Deployment):
    """The server processes on the cluster. During a failover, reads of the tables are repeated."""

    cluster: Cluster

    async def log(self, after: int = 0) -> list[LoggedEvent]:
        """The events of the log behind a position."""
        return await _repeated(lambda: super(ClusterDeployment, self).log(after))

    async def users(self) -> list[UserRow]:
        """Every user."""
        return await _repeated(super().users)


@asynccontextmanager
async def running(
    folder: Path, programs: Programs, shape: Shape, processes: int = PROCESSES
) -> AsyncIterator[ClusterDeployment]:
    """The cluster with this number of server processes, ready for requests."""
    async with AsyncExitStack() as stack:
        cluster = stack.enter_context(_started(folder, programs, shape))
        await _start_nodes(stack, cluster)
        redis_url = await _redis_url(stack, folder, cluster.redis)
        await cluster.healthy()
        await cluster.create_database()
        database = Database(cluster.direct_url, pool_size=4)
        stack.push_async_callback(database.close)
        await _repeated(lambda: migrations.upgrade(database.engine))
        settings = environment(cluster.url, redis_url) | _SETTINGS | cluster.settings
        started = [
            await stack.enter_async_context(Process(folder, f"process-{number}", settings))
            for number in range(processes)
        ]
        await asyncio.gather(*(process.ready() for process in started))
        yield ClusterDeployment(folder, database, started, cluster)


async def _start_nodes(stack: AsyncExitStack, cluster: Cluster) -> None:
    """Start the nodes when etcd is ready."""
    async with asyncio.timeout(HANG_SECONDS):
        while not all([await member.is_ready() for member in cluster.etcd]):
            await asyncio.sleep(0.1)
    for node in cluster.nodes:
        stack.callback(node.kill)
        cluster.start_node(node)


async def _redis_url(stack: AsyncExitStack, folder: Path, cluster: RedisCluster | None) -> str:
    """The URL of the Sentinels, or of a single server, which it starts."""
    if cluster is not None:
        await cluster.healthy()
        return cluster.url
    valkey = Valkey(folder / "valkey")
    await asyncio.to_thread(valkey.start)
    stack.push_async_callback(asyncio.to_thread, valkey.stop, "immediate")
    return valkey.url


@contextmanager
def _started(folder: Path, programs: Programs, shape: Shape) -> Iterator[Cluster]:
    """The started servers, without the nodes. At the end nothing of them is kept, so they are killed."""
    with ExitStack() as stack:
        network = stack.enter_context(Network())
        etcd = [EtcdMember(folder, number + 1, programs) for number in range(MEMBERS)]
        for member in etcd:
            stack.callback(member.kill)
            member.start(etcd)
        passwords = Passwords(*(secrets.token_hex(20) for _ in range(3)))
        nodes = [Node(folder, number + 1, programs, network, etcd) for number in range(NODES)]
        haproxy = HAProxy(folder, programs, nodes)
        pgbouncer = PgBouncer(folder, programs, haproxy.port, _USER, passwords.superuser) if shape.pooler else None
        redis = RedisCluster(folder, programs, secrets.token_hex(20)) if shape.sentinel else None
        cluster = Cluster(shape, nodes, etcd, haproxy, pgbouncer, redis, network, passwords)
        _start_ways(stack, cluster)
        yield cluster


def _start_ways(stack: ExitStack, cluster: Cluster) -> None:
    """Start what leads to the nodes, and Redis."""
    for service in (cluster.haproxy, cluster.pgbouncer):
        if service is not None:
            stack.callback(service.kill)
            service.start()
    if cluster.redis is not None:
        cluster.redis.start(stack)


async def _knows_failsafe(node: Node, *, on: bool) -> bool:
    rules, members = [await node.ask(path) or {} for path in ("/config", "/failsafe")]
    return rules.get("failsafe_mode") is on and (not on or len(members) == NODES)


def _has_started(answer: dict[str, Any]) -> bool:
    return answer.get("state") == "running"


async def _repeated(read: Callable[[], Awaitable[ResultT]]) -> ResultT:
    """Repeat a read until the database answers."""
    async with asyncio.timeout(HANG_SECONDS):
        while True:
            with contextlib.suppress(Exception):
                return await read()
            await asyncio.sleep(0.2)
