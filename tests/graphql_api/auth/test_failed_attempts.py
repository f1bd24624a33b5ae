"""Failures are limited, running attempts count, and a success clears earlier failures."""

import asyncio
from types import SimpleNamespace

import pytest
from redis.asyncio import Redis

from domain.errors import RateLimited
from embedded.valkey import Valkey
from graphql_api.auth import failed_attempts as module
from graphql_api.auth import rate_limits
from graphql_api.auth.failed_attempts import LEASE_SECONDS, Attempt, AttemptCount, FailedAttempts
from graphql_api.auth.rate_limits import RateLimit, RateLimiter

FEW = RateLimit("few", max_count=3, seconds=60)
MANY = RateLimit("many", max_count=6, seconds=600)
SORRY = "Too many attempts. Try again later."


class Guesser:
    """A client at one address that guesses passwords."""

    def __init__(self, failures: FailedAttempts, address: str = "192.0.2.1") -> None:
        self._failures = failures
        self._address = address

    def attempt(self, account: str = "ada") -> Attempt:
        """An attempt that has not begun."""
        tallies = (AttemptCount(FEW, f"{account}\n{self._address}", is_cleared=True), AttemptCount(MANY, self._address))
        return self._failures.attempt(tallies, message=SORRY)

    async def begin(self, account: str = "ada") -> Attempt:
        """An attempt that runs."""
        attempt = self.attempt(account)
        await attempt.begin()
        return attempt

    async def fail(self, times: int = 1, account: str = "ada") -> None:
        """Try a wrong password."""
        for _ in range(times):
            await (await self.begin(account)).end(failed=True)

    async def let_in(self, tries: int, account: str = "ada") -> int:
        """How many of several simultaneous attempts begin; they continue to run."""
        results = await asyncio.gather(*(self.begin(account) for _ in range(tries)), return_exceptions=True)
        assert all(isinstance(result, Attempt | RateLimited) for result in results)
        return sum(isinstance(result, Attempt) for result in results)


async def keys_of(redis: Redis, kind: str) -> list[str]:
    """The keys of Redis that hold what runs, or what has failed."""
    names = [name.decode() if isinstance(name, bytes) else name for name in await redis.keys()]
    return [name for name in names if f":{kind}:" in name]


def without_redis() -> FailedAttempts:
    """Counts in this process: its Redis was never there."""
    return FailedAttempts(RateLimiter(Redis(port=1), timeout=0.01, pause=3600))


@pytest.fixture(params=["redis", "own"])
async def failures(request: pytest.FixtureRequest, redis: Redis) -> FailedAttempts:
    """One that counts in Redis, and one that counts by itself: the same must be true of both."""
    return FailedAttempts(RateLimiter(redis, timeout=5)) if request.param == "redis" else without_redis()


@pytest.fixture
def guesser(failures: FailedAttempts) -> Guesser:
    return Guesser(failures)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The process's clock, to be turned by hand."""
    clock = SimpleNamespace(now=1000.0)
    for each in (module, rate_limits):
        monkeypatch.setattr(each, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


class TestFailing:
    async def test_so_many_may_fail(self, guesser: Guesser) -> None:
        """After that both a look and an attempt are refused, until the window of the first failure ends."""
        await guesser.fail(FEW.max_count)
        for refused in (guesser.attempt().check, guesser.attempt().begin):
            with pytest.raises(RateLimited, match=SORRY) as refusal:
                await refused()
            assert 55 <= refusal.value.retry_after <= FEW.seconds

    async def test_other_accounts_and_addresses_are_counted_apart(
        self, failures: FailedAttempts, guesser: Guesser
    ) -> None:
        """An account's failures count for that account only; all accounts of an address share the address's limit."""
        await guesser.fail(FEW.max_count)
        assert await guesser.let_in(5, account="bob") == FEW.max_count
        assert await guesser.let_in(5, account="eve") == 0
        assert await Guesser(failures, "192.0.2.2").let_in(5) == FEW.max_count

    async def test_any_text_can_be_a_name(self, guesser: Guesser) -> None:
        """Lone surrogates, NUL and a megabyte are counted like other names."""
        for name in ("\ud800", "\x00"):
            await guesser.fail(account=name)
        await guesser.fail(account="x" * 1_000_000)


class TestRunning:
    async def test_parallel_guesses_get_no_more_than_the_limit(self, guesser: Guesser) -> None:
        """Attempts that run count: of fifty at once as many begin as of fifty in a row."""
        assert await guesser.let_in(50) == FEW.max_count

    async def test_a_refusal_because_of_running_attempts_is_short(self, guesser: Guesser) -> None:
        """It ends when they end; a check without an attempt is not refused."""
        running = [await guesser.begin() for _ in range(FEW.max_count)]
        await guesser.attempt().check()
        with pytest.raises(RateLimited) as refusal:
            await guesser.begin()
        assert refusal.value.retry_after == 1
        await running[0].end(failed=False)
        await guesser.begin()

    async def test_a_cancelled_attempt_does_not_count(self, guesser: Guesser) -> None:
        """It is no failure; cancelling twice changes nothing."""
        for _ in range(10):
            attempt = await guesser.begin()
            await attempt.give_up()
            await attempt.give_up()
        assert await guesser.let_in(5) == FEW.max_count

    async def test_a_refused_attempt_counts_for_no_limit(self, guesser: Guesser) -> None:
        """If one limit refuses, the other limits do not count the attempt."""
        await guesser.fail(FEW.max_count)
        for _ in range(10):
            with pytest.raises(RateLimited):
                await guesser.begin()
        assert await guesser.let_in(5, account="bob") == MANY.max_count - FEW.max_count


class TestSucceeding:
    async def test_a_success_clears_the_failures_before_it(self, guesser: Guesser) -> None:
        """The count of the account is zero."""
        await guesser.fail(FEW.max_count - 1)
        await (await guesser.begin()).end(failed=False)
        await guesser.fail(FEW.max_count - 1)
        await guesser.begin()

    async def test_a_success_keeps_running_attempts(self, guesser: Guesser) -> None:
        """It allows no additional guesses meanwhile."""
        running = [await guesser.begin() for _ in range(FEW.max_count - 1)]
        await (await guesser.begin()).end(failed=False)
        assert await guesser.let_in(5) == 1
        for attempt in running:
            await attempt.end(failed=True)
        with pytest.raises(RateLimited):
            await guesser.begin()

    async def test_the_address_keeps_its_failures(self, guesser: Guesser) -> None:
        """Signing in to an own account does not reset the count of the address."""
        for name in ("bob", "eve"):
            await guesser.fail(FEW.max_count, account=name)
            attempt = guesser.attempt("own")
            if name == "bob":
                await attempt.begin()
                await attempt.end(failed=False)
        with pytest.raises(RateLimited):
            await guesser.begin("own")

    async def test_successes_leave_no_count(self, guesser: Guesser) -> None:
        """However many there are."""
        for _ in range(20):
            await (await guesser.begin()).end(failed=False)
        assert await guesser.let_in(5) == FEW.max_count


class TestRedis:
    async def test_processes_count_together(self, redis: Redis) -> None:
        """An attempt or failure of one process counts in another, and a success clears it there, too."""
        one, other = (Guesser(FailedAttempts(RateLimiter(redis, timeout=5))) for _ in range(2))
        await one.fail()
        running = await one.begin()
        assert await other.let_in(5) == 1
        await running.end(failed=False)
        assert await other.let_in(5) == 2

    async def test_attempts_of_a_dead_process_expire(self, redis: Redis) -> None:
        """Each running attempt has a lease, and every key expires."""
        guesser = Guesser(FailedAttempts(RateLimiter(redis, timeout=5)))
        await guesser.fail()
        assert await guesser.let_in(5) == FEW.max_count - 1
        for name in await keys_of(redis, "running"):
            # As if all of them had begun long ago: the instants at which they are given up have passed.
            await redis.zunionstore(name, {name: 0})
            await redis.pexpire(name, LEASE_SECONDS * 1000)
        assert await guesser.let_in(5) == FEW.max_count - 1
        assert all([await redis.pttl(name) > 0 for name in await redis.keys()])

    async def test_redis_keys_hold_no_names(self, redis: Redis) -> None:
        """Neither usernames nor addresses."""
        await Guesser(FailedAttempts(RateLimiter(redis, timeout=5))).fail(account="ada@example.org")
        assert not any("ada" in str(name) or "192" in str(name) for name in await redis.keys())

    async def test_keys_of_the_older_release_are_left_alone(self, redis: Redis) -> None:
        """Processes of the previous release count in other keys."""
        limit = RateLimit("few", FEW.max_count, FEW.seconds)
        throttle = RateLimiter(redis, timeout=5)
        await throttle.take(limit, "ada\n192.0.2.1", message=SORRY)
        (older,) = await redis.keys()
        guesser = Guesser(FailedAttempts(throttle))
        await (await guesser.begin()).end(failed=False)
        assert await redis.get(older) == b"1"


class TestWithoutRedis:
    async def test_an_outage_of_redis(self, disposable_valkey: Valkey, disposable_redis: Redis) -> None:
        """The process continues with its own counts of failures and running attempts."""
        guesser = Guesser(FailedAttempts(RateLimiter(disposable_redis, timeout=5)))
        await guesser.fail()
        running = await guesser.begin()
        disposable_valkey.kill()
        try:
            assert await guesser.let_in(5) == 1
            await running.end(failed=True)
            assert await guesser.let_in(5) == 0
        finally:
            disposable_valkey.start()

    async def test_the_lease_of_an_attempt_expires(self, clock: SimpleNamespace) -> None:
        """An attempt that never ends stops counting."""
        limits = RateLimit("long", max_count=1, seconds=600)
        failures = without_redis()
        await failures.attempt([AttemptCount(limits, "ada")], message=SORRY).begin()
        with pytest.raises(RateLimited):
            await failures.attempt([AttemptCount(limits, "ada")], message=SORRY).begin()
        clock.now += LEASE_SECONDS
        await failures.attempt([AttemptCount(limits, "ada")], message=SORRY).begin()
