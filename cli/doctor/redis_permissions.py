"""Checks whether the user in REDIS_URL has all permissions, by using them."""

from collections.abc import Awaitable, Callable
from typing import Final

from redis.asyncio import Redis
from redis.exceptions import NoPermissionError, RedisError, ResponseError

from cli.doctor.finding import CheckResult, make_finding
from streaming.notifier import Notification
from streaming.redis_acl import CHANNEL, PROBE_KEY, setuser_command
from streaming.redis_errors import is_permission_missing

NAME: Final = "redis permissions"
_KEY: Final = "throttle:doctor"
_CONFIRMATION_SECONDS: Final = 2.0
_NO_NEWS: Final = Notification("", 1, 1, None)
"""A message without an event. Processes that receive it compare their position with the log, as they do anyway."""

_SCRIPT: Final = """
local failures = {}
local function try(...)
  local answer = redis.pcall(...)
  if type(answer) == "table" and answer.err then
    table.insert(failures, {string.lower((...)), answer.err})
  end
end
try("TIME")
try("INCR", KEYS[1])
try("INCRBY", KEYS[1], 1)
try("PEXPIRE", KEYS[1], 1000)
try("PTTL", KEYS[1])
try("GET", KEYS[1])
try("DEL", KEYS[1])
try("ZADD", KEYS[1], 1, "a")
try("ZREMRANGEBYSCORE", KEYS[1], "-inf", 0)
try("ZCARD", KEYS[1])
try("ZREM", KEYS[1], "a")
return failures
"""
"""The commands of the scripts for rate limits, on a key that no limit has. Returns those that fail, with the error."""


async def check(client: Redis, user: str) -> CheckResult:
    """Use every permission once."""
    refused = [name for name, step in _STEPS.items() if await _is_refused(client, step)]
    refused += await _refused_in_scripts(client)
    if not refused:
        return make_finding(NAME, f"the user {user} has all that are needed")
    return make_finding(
        NAME, f"the user {user} may not use {', '.join(refused)}", bad=f"Run in Redis: {setuser_command(user)}"
    )


async def _is_refused(client: Redis, step: Callable[[Redis], Awaitable[object]]) -> bool:
    try:
        await step(client)
    except NoPermissionError:
        return True
    except RedisError:
        return False  # a write that is refused for another reason: the check of the server reports it
    return False


async def _refused_in_scripts(client: Redis) -> list[str]:
    try:
        failures = await client.register_script(_SCRIPT)(keys=[_KEY])
    except NoPermissionError:
        return ["evalsha or script|load on throttle:*"]
    except RedisError:
        return []
    return [name.decode() for name, text in failures if is_permission_missing(ResponseError(text.decode()))]


async def _subscribe(client: Redis) -> object:
    async with client.pubsub() as pubsub:
        await pubsub.subscribe(CHANNEL)
        return await pubsub.get_message(timeout=_CONFIRMATION_SECONDS)


_STEPS: Final[dict[str, Callable[[Redis], Awaitable[object]]]] = {
    "ping": lambda client: client.ping(),
    "set on throttle:*": lambda client: client.set(PROBE_KEY, b"", px=1_000),
    f"publish on {CHANNEL}": lambda client: client.publish(CHANNEL, _NO_NEWS.encode()),
    f"subscribe on {CHANNEL}": _subscribe,
}
