"""A Redis that answers and refuses commands is treated like none: nothing fails, and its return is noticed."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from domain.user import Role
from graphql_api.auth.failed_attempts import AttemptCount, FailedAttempts
from graphql_api.auth.rate_limits import RateLimit, RateLimiter
from streaming.redis_client import create_client
from tests.streaming.conftest import StartProcess
from tests.streaming.support import Process, a_task_event, an_actor, receive_event, until
from tests.support.ports import closed_port
from tests.support.storing_valkey import StoringValkey
from tests.support.waiting import HANG_SECONDS

ADMIN = an_actor(Role.ADMIN)
LIMIT = RateLimit("test", 10**6, 60)
_FILL = "for i = 1, 60000 do redis.call('SET', 'key' .. i, string.rep('x', 300)) end"

Fault = Callable[[Redis, StoringValkey], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def replica(redis: Redis, server: StoringValkey) -> AsyncIterator[None]:
    """It is the replica of a master that is down."""
    with closed_port() as port:
        await redis.replicaof("127.0.0.1", port)
        yield
    await redis.replicaof("NO", "ONE")


@asynccontextmanager
async def full(redis: Redis, server: StoringValkey) -> AsyncIterator[None]:
    """Its memory is full, and nothing is evicted."""
    await redis.config_set("maxmemory-policy", "noeviction")
    await redis.config_set("maxmemory", 1)
    yield
    await redis.config_set("maxmemory", 0)


@asynccontextmanager
async def broken_disk(redis: Redis, server: StoringValkey) -> AsyncIterator[None]:
    """It shall store its data, and cannot: its folder is read-only."""
    server.data.chmod(0o500)
    await redis.config_set("save", "3600 1000000")
    await redis.set("unsaved", "")
    await _store(redis, "err")
    yield
    server.data.chmod(0o700)
    await _store(redis, "ok")


@asynccontextmanager
async def missing_replicas(redis: Redis, server: StoringValkey) -> AsyncIterator[None]:
    """Writes need a replica, and there is none."""
    await redis.config_set("min-replicas-to-write", 1)
    yield
    await redis.config_set("min-replicas-to-write", 0)


@asynccontextmanager
async def loading(redis: Redis, server: StoringValkey) -> AsyncIterator[None]:
    """It was killed, and loads its data slowly after its start."""
    await redis.eval(_FILL, 0)
    await redis.save()
    await asyncio.to_thread(server.kill)
    server.loads_slowly = True
    start = asyncio.create_task(asyncio.to_thread(server.start))
    try:
        async with asyncio.timeout(HANG_SECONDS):
            while not await _is_loading(redis):
                await asyncio.sleep(0.01)
        yield
    finally:
        await redis.config_set("key-load-delay", 0)
        await start


async def _store(redis: Redis, state: str) -> None:
    """Store the data, and wait for the end."""
    await redis.bgsave()
    async with asyncio.timeout(HANG_SECONDS):
        while (await redis.info("persistence"))["rdb_last_bgsave_status"] != state:
            await asyncio.sleep(0.01)


async def _is_loading(redis: Redis) -> bool:
    try:
        return bool((await redis.info("persistence"))["loading"])
    except RedisConnectionError:
        return False


FAULTS: dict[Fault, str] = {
    replica: "It is a replica: REDIS_URL must lead to the master, or name Sentinels.",
    full: "Its memory is full: raise maxmemory",
    broken_disk: "It cannot store its data: free its disk",
    missing_replicas: "Too few replicas are connected",
    loading: "It loads its data, and can be used afterwards.",
}
"""The faults, and the advice in the log."""


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[StoringValkey]:
    """A server that can store and load data."""
    with StoringValkey(tmp_path / "valkey") as server:
        yield server


@pytest.fixture
async def admin(valkey: StoringValkey) -> AsyncIterator[Redis]:
    """A client that causes the faults."""
    async with Redis.from_url(valkey.url) as redis:
        yield redis


async def send(writer: Process, listener) -> None:
    """Commit an event, and wait until a subscriber receives it."""
    event = a_task_event()
    await writer.record(event)
    assert (await receive_event(listener)).version == event.version


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
class TestRefusals:
    async def test_events_arrive_by_polling(
        self,
        start: StartProcess,
        valkey: StoringValkey,
        admin: Redis,
        caplog: pytest.LogCaptureFixture,
        fault: Fault,
    ):
        """The state and one line of the log say so, and the notifier works again when Redis does."""
        caplog.set_level("INFO", "taskriver")
        writer, other = [await start(redis=valkey.url) for _ in range(2)]
        await until(lambda: writer.stream.healthy and other.stream.healthy)
        async with other.stream.subscribe(ADMIN, None, None) as listener:
            async with fault(admin, valkey):
                for process in (writer, other):
                    await until(lambda: process.stream.is_refused and not process.stream.healthy)  # noqa: B023
                notifications = other.stream.counters.notifications
                for _ in range(4):
                    await send(writer, listener)
                assert other.stream.counters.notifications == notifications
            await until(lambda: all(each.stream.healthy and not each.stream.is_refused for each in (writer, other)))
            await send(writer, listener)
        refusals = [each for each in caplog.messages if "Redis refuses" in each]
        assert len(refusals) == 2, caplog.messages  # one of each process
        assert all("; events arrive by polling: " in each and FAULTS[fault] in each for each in refusals)
        assert caplog.messages.count("Redis accepts SET again") == 2

    async def test_limits_are_counted_by_each_process(
        self, valkey: StoringValkey, admin: Redis, caplog: pytest.LogCaptureFixture, fault: Fault
    ):
        """No request fails, though each tries Redis again; one line of the log says so."""
        caplog.set_level("INFO", "taskriver.limits")
        async with create_client(valkey.url, seconds=HANG_SECONDS, max_connections=4) as client:
            limiter = RateLimiter(client, timeout=HANG_SECONDS, pause=0.0)
            await sign_in(limiter)
            async with fault(admin, valkey):
                for _ in range(5):
                    await sign_in(limiter)
            await sign_in(limiter)
        first, last = caplog.messages
        assert "Redis refuses scripts: each process counts limits by itself:" in first
        assert FAULTS[fault] in first
        assert last == "Redis answers again: limits are counted for all processes together."


async def sign_in(limiter: RateLimiter) -> None:
    """What a sign-in counts."""
    attempt = FailedAttempts(limiter).attempt([AttemptCount(LIMIT, "alice")], message="")
    await limiter.check(LIMIT, "address", message="")
    await attempt.check()
    await attempt.begin()
    await limiter.take(LIMIT, "address", message="")
    await attempt.end(failed=False)
