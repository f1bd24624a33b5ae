"""Checks Redis or Valkey."""

import time
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, RedisError

from cli.doctor.finding import CheckResult, CheckState, make_finding

NAME: Final = "redis"
TIMEOUT_SECONDS: Final = 2.0
SLOW_SECONDS: Final = 0.1
OLDEST: Final = {"Redis": 7, "Valkey": 8}
WITHOUT_REDIS: Final = (
    "Without Redis each process counts rate limits separately, and events arrive up to a quarter of a second later."
)


async def check(url: str) -> CheckResult:
    """Whether it answers, its version, and the response time."""
    client = Redis.from_url(url, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS, retry=None)
    try:
        facts: dict[str, Any] = await client.info("server")
        began = time.perf_counter()
        await client.ping()
        seconds = time.perf_counter() - began
    except AuthenticationError:
        return CheckResult(
            NAME, CheckState.BAD, "rejects the password of REDIS_URL", f"Correct REDIS_URL. {WITHOUT_REDIS}"
        )
    except (RedisError, OSError, TimeoutError):
        return CheckResult(
            NAME, CheckState.BAD, "does not answer at REDIS_URL", f"Start it, or correct REDIS_URL. {WITHOUT_REDIS}"
        )
    finally:
        await client.aclose()
    name = "Valkey" if "valkey_version" in facts else "Redis"
    version = str(facts.get("valkey_version", facts.get("redis_version", "0")))
    old = int(version.split(".")[0]) < OLDEST[name]
    return make_finding(
        NAME,
        f"{name} {version}, answers in {seconds * 1_000:.1f} ms",
        bad=f"{name} {OLDEST[name]} or newer is needed." if old else "",
        warning="Run it closer to the server: every sign-in waits for it." if seconds > SLOW_SECONDS else "",
    )
