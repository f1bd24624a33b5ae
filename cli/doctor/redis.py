"""What Redis, or Valkey, says."""

import time
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, RedisError

from cli.doctor.finding import Finding, State, judged

NAME: Final = "redis"
PATIENCE_SECONDS: Final = 2.0
SLOW_SECONDS: Final = 0.1
OLDEST: Final = {"Redis": 7, "Valkey": 8}
WITHOUT: Final = "Until then limits are counted per process, and events come a quarter of a second later."


async def look(url: str) -> Finding:
    """Whether it is there, which one it is, and how fast it answers."""
    client = Redis.from_url(url, socket_timeout=PATIENCE_SECONDS, socket_connect_timeout=PATIENCE_SECONDS, retry=None)
    try:
        facts: dict[str, Any] = await client.info("server")
        began = time.perf_counter()
        await client.ping()
        seconds = time.perf_counter() - began
    except AuthenticationError:
        return Finding(NAME, State.BAD, "refuses the password of REDIS_URL", f"Mend REDIS_URL. {WITHOUT}")
    except (RedisError, OSError, TimeoutError):
        return Finding(
            NAME, State.BAD, "does not answer where REDIS_URL says", f"Start it, or mend REDIS_URL. {WITHOUT}"
        )
    finally:
        await client.aclose()
    name = "Valkey" if "valkey_version" in facts else "Redis"
    version = str(facts.get("valkey_version", facts.get("redis_version", "0")))
    old = int(version.split(".")[0]) < OLDEST[name]
    return judged(
        NAME,
        f"{name} {version}, answers in {seconds * 1_000:.1f} ms",
        bad=f"{name} {OLDEST[name]} or newer is needed." if old else "",
        look="Put it nearer: every sign-in waits for it." if seconds > SLOW_SECONDS else "",
    )
