"""What a sign-in costs: the password, and the limits with and without Redis."""

from pathlib import Path

from redis.asyncio import Redis

from embedded.valkey import Valkey
from graphql_api.auth.passwords import Passwords
from graphql_api.auth.rate_limits import RateLimit, RateLimiter
from tests.support.figures import Figures
from tests.timings.clock import timed

TIMES = 9
LIMIT = RateLimit("timings", 1_000, 600)


async def test_known_and_unknown_users(figures: Figures):
    """Both times should be equal."""
    passwords = Passwords(8)
    stored = await passwords.hash("Correct-horse1")
    for kind, against in (("a known", stored), ("an unknown", None)):
        seconds: list[float] = []
        for _ in range(TIMES):
            with timed(seconds):
                await passwords.verify("wrong", against)
        figures.times(f"wrong password of {kind} user, cost 8", seconds)
    passwords.close()


async def test_the_limits(tmp_path: Path, figures: Figures):
    """The time of a decision, with a healthy and with a frozen Redis."""
    with Valkey(tmp_path / "valkey") as server:
        async with Redis.from_url(server.url) as redis:
            throttle = RateLimiter(redis)
            await decide(throttle, figures, "all well")
            server.freeze()
            await decide(throttle, figures, "Redis frozen")
            server.thaw()


async def decide(throttle: RateLimiter, figures: Figures, when: str) -> None:
    """Take some tries, one after the other."""
    seconds: list[float] = []
    for number in range(TIMES):
        with timed(seconds):
            await throttle.take(LIMIT, f"key {number}", message="Too many.")
    figures.times(f"one try counted, {when}", seconds)
