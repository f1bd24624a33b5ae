"""Redis behind Sentinels: processes follow the master, and every event arrives meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from domain.user import Role
from graphql_api.auth.rate_limits import RateLimit, RateLimiter
from streaming.redis_acl import CHANNEL
from streaming.redis_client import create_client
from streaming.subscription import Subscriber
from tests.streaming.conftest import StartProcess
from tests.streaming.support import Process, a_task_event, an_actor, receive_event
from tests.support.sentinel_cluster import Member, SentinelCluster, sentinel_cluster
from tests.support.waiting import HANG_SECONDS

ADMIN = an_actor(Role.ADMIN)
WRITE_SECONDS = 0.02


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[SentinelCluster]:
    """A cluster in which a failover is possible."""
    async with AsyncExitStack() as stack:
        manager = sentinel_cluster(tmp_path)
        cluster = await asyncio.to_thread(manager.__enter__)
        stack.push_async_callback(asyncio.to_thread, manager.__exit__, None, None, None)
        await eventually(cluster.is_complete)
        yield cluster


async def eventually(condition: Callable[[], object]) -> None:
    """Wait for a condition that asks servers, outside of the event loop."""
    async with asyncio.timeout(HANG_SECONDS):
        while not await asyncio.to_thread(condition):
            await asyncio.sleep(0.05)


def listeners(member: Member) -> int:
    """The number of processes that listen to this server."""
    [(_, number)] = member.admin.pubsub_numsub(CHANNEL)
    return int(number)


async def received(process: Process) -> None:
    """Wait until another notification arrives through Redis."""
    before = process.stream.counters.notifications
    async with asyncio.timeout(HANG_SECONDS):
        while process.stream.counters.notifications == before:
            await process.record(a_task_event())
            await asyncio.sleep(WRITE_SECONDS)


@asynccontextmanager
async def writes(writer: Process, listener: Subscriber) -> AsyncIterator[None]:
    """Write until the end of the block; then check that the listener has got each event once, in order."""
    written: list[int] = []
    ended = False

    async def write() -> None:
        while not ended:
            event = a_task_event()
            await writer.record(event)
            written.append(event.version)
            await asyncio.sleep(WRITE_SECONDS)

    task = asyncio.create_task(write())
    try:
        yield
    finally:
        ended = True
        await task
    assert written
    assert [(await receive_event(listener)).version for _ in written] == written


class TestFailover:
    async def test_the_next_master_is_followed(self, start: StartProcess, cluster: SentinelCluster):
        """After the master was killed, notifications arrive through the next one; the former one is left alone."""
        first, second = cluster.members
        one, other = [await start(redis=cluster.url, channel=CHANNEL) for _ in range(2)]
        await eventually(lambda: listeners(first) == 2)
        async with other.stream.subscribe(ADMIN, None, None) as listener, writes(one, listener):
            await asyncio.to_thread(first.kill)
            await eventually(lambda: cluster.master_port() == second.port)
            await eventually(lambda: listeners(second) == 2)

            await asyncio.to_thread(first.start)  # as a master, until the Sentinels make it a replica
            await eventually(lambda: first.admin.role()[0] == "slave")
        await received(other)

        assert (listeners(first), listeners(second)) == (0, 2)
        assert one.stream.healthy
        assert not one.stream.is_refused

    async def test_a_demoted_master_is_left(self, start: StartProcess, cluster: SentinelCluster):
        """The former master still runs, and accepts subscriptions."""
        first, second = cluster.members
        one, other = [await start(redis=cluster.url, channel=CHANNEL) for _ in range(2)]
        await eventually(lambda: listeners(first) == 2)
        async with other.stream.subscribe(ADMIN, None, None) as listener, writes(one, listener):
            await asyncio.to_thread(cluster.sentinels[0].admin.sentinel_failover, "tasks")
            await eventually(lambda: (listeners(first), listeners(second)) == (0, 2))
        await received(other)

    async def test_limits_are_counted_by_the_next_master(self, cluster: SentinelCluster):
        """While there is none, the process counts alone."""
        first, second = cluster.members
        async with create_client(cluster.url, seconds=HANG_SECONDS, max_connections=4) as client:
            limiter, limit = RateLimiter(client, timeout=HANG_SECONDS, pause=0.0), RateLimit("test", 10**6, 60)
            await limiter.take(limit, "key", message="")
            assert await asyncio.to_thread(lambda: first.admin.keys("throttle:*"))
            await asyncio.to_thread(first.kill)
            async with asyncio.timeout(HANG_SECONDS):
                while not await asyncio.to_thread(_is_counted, second, 2):
                    await limiter.take(limit, "key", message="")
                    await asyncio.sleep(WRITE_SECONDS)


def _is_counted(member: Member, least: int) -> bool:
    return any(int(member.admin.get(key) or 0) >= least for key in member.admin.keys("throttle:*"))


class TestSentinels:
    async def test_a_frozen_sentinel_delays_nothing(self, start: StartProcess, cluster: SentinelCluster):
        """The others answer."""
        cluster.sentinels[0].freeze()
        try:
            process = await start(redis=cluster.url, channel=CHANNEL)
            await received(process)
            assert process.stream.healthy
        finally:
            cluster.sentinels[0].thaw()

    async def test_the_master_is_kept_without_sentinels(
        self, start: StartProcess, cluster: SentinelCluster, caplog: pytest.LogCaptureFixture
    ):
        """Notifications continue; the log says once that the Sentinels do not answer."""
        caplog.set_level("INFO", "taskriver")
        process = await start(redis=cluster.url, channel=CHANNEL)
        await received(process)
        for sentinel in cluster.sentinels:
            await asyncio.to_thread(sentinel.kill)
        lost = "no Sentinel names the master of tasks"
        await eventually(lambda: lost in caplog.text)
        await received(process)
        for sentinel in cluster.sentinels:
            await asyncio.to_thread(sentinel.start)
        await eventually(lambda: "the Sentinels name a master again" in caplog.text)

        assert process.stream.healthy
        assert caplog.text.count(lost) == 1
