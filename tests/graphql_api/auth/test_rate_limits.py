"""Limits hold for parallel guesses, and when Redis is frozen or down."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from redis import exceptions as redis_errors
from redis.asyncio import Redis

from domain.errors import RateLimited
from embedded.valkey import Valkey
from graphql_api.auth import rate_limits, redis_with_timeout
from graphql_api.auth import rate_limits as module
from graphql_api.auth.rate_limits import RateLimit, RateLimiter
from tests.support.waiting import HANG_SECONDS

FEW = RateLimit("few", max_count=3, seconds=60)
SHORT = RateLimit("short", max_count=2, seconds=1)
SORRY = "Too many attempts. Try again later."


async def taken(throttle: RateLimiter, limit: RateLimit, key: str, tries: int) -> int:
    """How many of several simultaneous attempts were allowed."""
    results = await asyncio.gather(
        *(throttle.take(limit, key, message=SORRY) for _ in range(tries)), return_exceptions=True
    )
    assert all(result is None or isinstance(result, RateLimited) for result in results)
    return sum(result is None for result in results)


def asked(throttle: RateLimiter, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Fills with what Redis is asked, once per question: each costs up to the throttle's patience in an outage."""
    questions: list[object] = []
    client = throttle.redis._redis
    register = client.register_script

    def noted(script: str) -> Any:
        questions.append(script)
        return register(script)

    monkeypatch.setattr(client, "register_script", noted)
    return questions


def without_redis(max_windows: int = 10_000) -> RateLimiter:
    """A throttle without a Redis."""
    return RateLimiter(Redis(port=1), timeout=0.01, pause=3600, max_windows=max_windows)


@pytest.fixture(params=["redis", "own"])
async def throttle(request: pytest.FixtureRequest, redis: Redis) -> RateLimiter:
    """One that counts in Redis, and one that has to count by itself: the same must be true of both."""
    return RateLimiter(redis, timeout=HANG_SECONDS) if request.param == "redis" else without_redis()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The process's clock, to be turned by hand."""
    clock = SimpleNamespace(now=1000.0)
    for each in (module, rate_limits, redis_with_timeout):
        monkeypatch.setattr(each, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


class TestCounting:
    async def test_a_window_allows_a_number_of_attempts(self, throttle: RateLimiter) -> None:
        """The next attempt is refused with the given message and the seconds to wait."""
        for _ in range(FEW.max_count):
            await throttle.take(FEW, "ada", message=SORRY)

        with pytest.raises(RateLimited, match=SORRY) as refusal:
            await throttle.take(FEW, "ada", message=SORRY)
        assert 55 <= refusal.value.retry_after <= FEW.seconds

    async def test_parallel_guesses_get_no_more_than_the_limit(self, throttle: RateLimiter) -> None:
        """Of fifty guesses at once exactly as many pass as of fifty in a row."""
        assert await taken(throttle, FEW, "ada", tries=50) == FEW.max_count

    async def test_keys_and_limits_are_counted_apart(self, throttle: RateLimiter) -> None:
        """One account's tries use up neither another's nor those of another limit."""
        assert await taken(throttle, FEW, "ada", tries=5) == 3
        assert await taken(throttle, FEW, "bob", tries=5) == 3
        assert await taken(throttle, RateLimit("other", max_count=2, seconds=60), "ada", tries=5) == 2

    async def test_looking_counts_nothing(self, throttle: RateLimiter) -> None:
        """However often one looks, every try is still there."""
        for _ in range(10):
            await throttle.check(FEW, "ada", message=SORRY)
        assert await taken(throttle, FEW, "ada", tries=5) == 3

    async def test_a_check_refuses_when_the_limit_is_reached(self, throttle: RateLimiter) -> None:
        """Like an attempt."""
        await taken(throttle, FEW, "ada", tries=3)
        with pytest.raises(RateLimited) as refusal:
            await throttle.check(FEW, "ada", message=SORRY)
        assert 55 <= refusal.value.retry_after <= FEW.seconds

    async def test_counting_never_refuses(self, throttle: RateLimiter) -> None:
        """What has happened is counted, beyond the limit too, and uses up the tries."""
        for _ in range(5):
            await throttle.count(FEW, "ada")
        assert await taken(throttle, FEW, "ada", tries=5) == 0

    async def test_a_cost_of_two_counts_twice(self, throttle: RateLimiter) -> None:
        """The last attempt may exceed the limit."""
        await throttle.take(FEW, "ada", message=SORRY, cost=2)
        await throttle.take(FEW, "ada", message=SORRY, cost=2)
        assert await taken(throttle, FEW, "ada", tries=5) == 0

    async def test_a_window_ends(self, clock: SimpleNamespace) -> None:
        """Its tries are back after its seconds, and later tries did not prolong it."""
        throttle = without_redis()
        assert await taken(throttle, SHORT, "ada", tries=1) == 1
        clock.now += 0.6 * SHORT.seconds
        assert await taken(throttle, SHORT, "ada", tries=5) == 1
        clock.now += 0.6 * SHORT.seconds
        assert await taken(throttle, SHORT, "ada", tries=5) == 2

    async def test_any_text_can_be_a_key(self, throttle: RateLimiter) -> None:
        """Lone surrogates, NUL and a megabyte are counted like other keys."""
        for key in ("\ud800", "\x00", "", "x" * 1_000_000):
            assert await taken(throttle, FEW, key, tries=5) == 3


class TestRedis:
    async def test_redis_keys_hold_no_names(self, redis: Redis) -> None:
        """Neither usernames nor addresses; they differ by limit, and all expire."""
        throttle = RateLimiter(redis, timeout=HANG_SECONDS)
        await throttle.take(FEW, "ada@example.org", message=SORRY)
        await throttle.take(SHORT, "ada@example.org", message=SORRY)

        names = await redis.keys()

        assert len({str(name).rpartition(":")[2] for name in names}) == 2
        assert not any("ada" in str(name) for name in names)
        assert all([await redis.pttl(name) > 0 for name in names])

    async def test_a_window_ends(self, redis: Redis) -> None:
        """Later tries do not prolong it, and when Redis has forgotten it, its tries are back."""
        throttle = RateLimiter(redis, timeout=HANG_SECONDS)
        assert await taken(throttle, FEW, "ada", tries=1) == 1
        [name] = [str(key, "ascii") if isinstance(key, bytes) else key for key in await redis.keys()]
        end = await redis.pexpiretime(name)
        assert await taken(throttle, FEW, "ada", tries=5) == 2
        assert await redis.pexpiretime(name) == end
        await redis.pexpire(name, 1)
        while await redis.exists(name):
            await asyncio.sleep(0.001)
        assert await taken(throttle, FEW, "ada", tries=5) == 3

    async def test_processes_count_together(self, redis: Redis) -> None:
        """What one process counts, another one refuses."""
        assert await taken(RateLimiter(redis, timeout=HANG_SECONDS), FEW, "ada", tries=2) == 2
        assert await taken(RateLimiter(redis, timeout=HANG_SECONDS), FEW, "ada", tries=5) == 1

    async def test_scripts_are_loaded_again_after_a_restart(self, redis: Redis) -> None:
        """Without a failure."""
        throttle = RateLimiter(redis, timeout=HANG_SECONDS)
        await throttle.take(FEW, "ada", message=SORRY)
        await redis.script_flush()
        assert await taken(throttle, FEW, "ada", tries=5) == 2

    async def test_an_error_of_redis_counts_as_an_outage(self, redis: Redis) -> None:
        """The process continues with its own count."""
        throttle = RateLimiter(redis, timeout=HANG_SECONDS)
        await throttle.take(FEW, "ada", message=SORRY)
        (name,) = await redis.keys()
        await redis.delete(name)
        await redis.lpush(name, "not a number")
        assert await taken(throttle, FEW, "ada", tries=10) == 2


class TestWithoutRedis:
    @pytest.mark.parametrize("harm", ["freeze", "kill"])
    async def test_limits_hold_during_an_outage_without_waiting(
        self, harm: str, disposable_valkey: Valkey, disposable_redis: Redis, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Only the first attempt waits for Redis."""
        throttle = RateLimiter(disposable_redis, pause=HANG_SECONDS)
        await throttle.take(FEW, "warm", message=SORRY)
        questions = asked(throttle, monkeypatch)
        getattr(disposable_valkey, harm)()
        try:
            await throttle.take(FEW, "ada", message=SORRY)
            await taken(throttle, FEW, "bob", tries=50)
            assert await taken(throttle, FEW, "ada", tries=50) == 2
            assert await taken(throttle, FEW, "bob", tries=50) == 0
        finally:
            disposable_valkey.thaw() if harm == "freeze" else disposable_valkey.start()
        assert len(questions) == 1

    async def test_concurrent_attempts_during_an_outage(
        self, disposable_valkey: Valkey, disposable_redis: Redis
    ) -> None:
        """Fifty attempts at once stay within the limit."""
        throttle = RateLimiter(disposable_redis)
        await throttle.take(FEW, "warm", message=SORRY)
        disposable_valkey.freeze()
        try:
            assert await taken(throttle, FEW, "ada", tries=50) == 3
        finally:
            disposable_valkey.thaw()

    async def test_only_one_caller_probes_redis(
        self,
        disposable_valkey: Valkey,
        disposable_redis: Redis,
        clock: SimpleNamespace,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """After the pause one caller waits for a frozen Redis."""
        throttle = RateLimiter(disposable_redis, pause=1.0)
        questions = asked(throttle, monkeypatch)
        disposable_valkey.freeze()
        try:
            await throttle.count(FEW, "ada")
            clock.now += 1.0
            await asyncio.gather(*(throttle.count(FEW, "ada") for _ in range(20)))
        finally:
            disposable_valkey.thaw()
        assert len(questions) == 2

    async def test_redis_is_used_again_after_an_outage(
        self,
        disposable_valkey: Valkey,
        disposable_redis: Redis,
        clock: SimpleNamespace,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """Counts are shared again; the log has one line for the begin and one for the end."""
        throttle = RateLimiter(disposable_redis, timeout=HANG_SECONDS, pause=1.0)
        with caplog.at_level("INFO", logger="taskriver.limits"):
            disposable_valkey.kill()
            await taken(throttle, FEW, "ada", tries=5)
            disposable_valkey.start()
            clock.now += 1.0
            await throttle.take(FEW, "ada", message=SORRY)

        assert await taken(RateLimiter(disposable_redis, timeout=HANG_SECONDS), FEW, "ada", tries=5) == 2
        assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


class TestBreaking:
    async def test_a_connection_that_breaks_while_it_is_made(self, redis: Redis, monkeypatch: pytest.MonkeyPatch):
        """What uvloop calls a RuntimeError is to the throttle a Redis that does not answer."""

        async def broken(*arguments: object, **options: object) -> None:
            raise RuntimeError("unable to perform operation on <TCPTransport closed=True>; the handler is closed")

        monkeypatch.setattr(redis, "execute_command", broken)

        assert await taken(RateLimiter(redis), FEW, "key", FEW.max_count + 2) == FEW.max_count


class TestOwnMemory:
    async def test_local_counts_are_bounded(self) -> None:
        """The oldest keys are removed."""
        throttle = without_redis(max_windows=100)
        for number in range(1_000):
            await throttle.take(FEW, str(number), message=SORRY)

        assert throttle._local.count(FEW) == 100
        assert await taken(throttle, FEW, "999", tries=5) == 2
        assert await taken(throttle, FEW, "0", tries=5) == 3

    async def test_ended_windows_leave_by_and_by(self, clock: SimpleNamespace) -> None:
        """New windows take the place of ended ones, two for one, so memory shrinks without a sweep."""
        throttle = without_redis()
        for number in range(100):
            await throttle.take(FEW, str(number), message=SORRY)
        clock.now += FEW.seconds
        for number in range(60):
            await throttle.take(FEW, f"new {number}", message=SORRY)

        assert throttle._local.count(FEW) == 60

    async def test_an_ended_window_refuses_nothing(self, clock: SimpleNamespace) -> None:
        """At the end of a window its attempts are allowed again."""
        throttle = without_redis()
        assert await taken(throttle, FEW, "ada", tries=5) == 3
        clock.now += FEW.seconds - 0.001
        with pytest.raises(RateLimited) as refusal:
            await throttle.check(FEW, "ada", message=SORRY)
        assert refusal.value.retry_after == 1

        clock.now += 0.001
        assert await taken(throttle, FEW, "ada", tries=5) == 3


REDIS_ERRORS: list[Callable[[], Exception]] = [
    redis_errors.AuthenticationError,
    redis_errors.BusyLoadingError,
    redis_errors.ConnectionError,
    redis_errors.DataError,
    redis_errors.InvalidResponse,
    redis_errors.MaxConnectionsError,
    redis_errors.NoScriptError,
    redis_errors.OutOfMemoryError,
    redis_errors.ReadOnlyError,
    redis_errors.ResponseError,
    redis_errors.TimeoutError,
]
TROUBLES: list[Callable[[], Exception]] = [
    *REDIS_ERRORS,
    ConnectionResetError,
    BrokenPipeError,
    OSError,
    ssl.SSLError,
    TimeoutError,
    EOFError,
    AttributeError,
    lambda: asyncio.IncompleteReadError(b"", 1),
    lambda: RuntimeError("the handler is closed"),
]


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.__name__)
async def test_any_connection_error_is_an_outage(trouble: Callable[[], Exception]) -> None:
    """None is raised to the caller."""

    class Broken:
        def register_script(self, script: str) -> Callable[..., Awaitable[int]]:
            return self.run

        async def run(self, *arguments: object, **options: object) -> int:
            raise trouble()

    throttle = RateLimiter(Broken())  # type: ignore[arg-type]
    assert await taken(throttle, FEW, "ada", tries=5) == 3
