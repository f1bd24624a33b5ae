"""Checks the memory limit of Redis, and what it does when the memory is full. Persistence makes no difference."""

from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import NoPermissionError

from cli.doctor.finding import CheckResult, make_finding

NAME: Final = "redis memory"
NEARLY_FULL: Final = 0.9
_MEGABYTE: Final = 1024 * 1024
_WHEN_FULL: Final = {
    "noeviction": "when it is full, Redis refuses writes and is not used.",
    "volatile-ttl": "when it is full, counts of rate limits are removed before they expire.",
}
"""The policies that remove no count while another one expires sooner, and what they do."""


async def check(client: Redis) -> CheckResult:
    """The limit, the memory in use, and the eviction policy, if the user may read them."""
    try:
        facts: dict[str, Any] = await client.info("memory")
    except NoPermissionError:
        return make_finding(NAME, "not checked: the user may not run INFO")
    used, limit, policy = int(facts["used_memory"]), int(facts["maxmemory"]), str(facts["maxmemory_policy"])
    if not limit:
        return make_finding(NAME, f"{_megabytes(used)} MB used, without a limit")
    return make_finding(
        NAME,
        f"{_megabytes(used)} of {_megabytes(limit)} MB used, {policy}",
        warning=_advice(used / limit, policy),
    )


def _megabytes(size: int) -> str:
    return f"{size / _MEGABYTE:.0f}"


def _advice(share: float, policy: str) -> str:
    if policy not in _WHEN_FULL:
        return "Set maxmemory-policy to noeviction or volatile-ttl: this one removes counts of rate limits in use."
    return f"Raise maxmemory: {_WHEN_FULL[policy]}" if share > NEARLY_FULL else ""
