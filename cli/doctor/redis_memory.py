"""Checks the memory limit of Redis, and what it does when the memory is full. Persistence makes no difference."""

from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import NoPermissionError

from cli.doctor.finding import CheckResult, make_finding

NAME: Final = "redis memory"
NEARLY_FULL: Final = 0.9
_MEGABYTE: Final = 1024 * 1024
_REFUSES: Final = "noeviction"


async def check(client: Redis) -> CheckResult:
    """The limit, the memory in use, and the eviction policy, if the user may read them."""
    try:
        facts: dict[str, Any] = await client.info("memory")
    except NoPermissionError:
        return make_finding(NAME, "not checked: the user may not run info")
    used, limit, policy = int(facts["used_memory"]), int(facts["maxmemory"]), str(facts["maxmemory_policy"])
    if not limit:
        return make_finding(NAME, f"{used / _MEGABYTE:.0f} MB used, without a limit")
    return make_finding(
        NAME,
        f"{used / _MEGABYTE:.0f} of {limit / _MEGABYTE:.0f} MB used, {policy}",
        warning=_advice(used / limit, policy),
    )


def _advice(share: float, policy: str) -> str:
    if policy == _REFUSES:
        return "Set maxmemory-policy to volatile-ttl: a full Redis with noeviction refuses writes, and is not used."
    if share > NEARLY_FULL:
        return "Raise maxmemory: counts of rate limits are removed before they expire."
    return ""
