"""Checks Redis or Valkey: the server, or the master that Sentinels name."""

import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import NoPermissionError, RedisError

from cli.doctor import redis_memory, redis_permissions, redis_sentinels
from cli.doctor.finding import CheckResult, CheckState, make_finding
from cli.doctor.redis_failure import explain
from streaming.redis_acl import PROBE_KEY
from streaming.redis_client import ServerPool, create_client
from streaming.redis_errors import advice
from streaming.redis_url import RedisTarget, read_redis_url
from streaming.sentinel import Sentinels

NAME: Final = "redis"
TIMEOUT_SECONDS: Final = 2.0
SLOW_SECONDS: Final = 0.1
OLDEST: Final = {"redis": 7, "valkey": 8}
NAMES: Final = {"redis": "Redis", "valkey": "Valkey"}
WITHOUT_REDIS: Final = (
    "Without Redis each process counts rate limits separately, and events arrive up to a quarter of a second later."
)
_CONNECTIONS: Final = 2
_MASTER: Final = "master"
_SENTINEL: Final = "sentinel"
_NOT_MASTER: Final = {
    "replica": "REDIS_URL must lead to the master, or name Sentinels.",
    _SENTINEL: "Use redis+sentinel://host:26379/service, with the service name of the Sentinels.",
}


@dataclass(frozen=True, slots=True)
class _Server:
    kind: str
    version: str
    role: str
    seconds: float

    @property
    def is_old(self) -> bool:
        """Whether this version is too old."""
        return int(self.version.split(".")[0]) < OLDEST.get(self.kind, 0)


async def check(url: str) -> list[CheckResult]:
    """The server, its Sentinels, the permissions and the memory. Only what can be reached is checked."""
    target = read_redis_url(url)
    client = create_client(url, seconds=TIMEOUT_SECONDS, max_connections=_CONNECTIONS)
    try:
        return await _check_all(client, target)
    finally:
        with suppress(RedisError, OSError):
            await client.aclose()


async def _check_all(client: Redis, target: RedisTarget) -> list[CheckResult]:
    sentinels = _sentinels_of(client)
    found: list[CheckResult] = []
    place = ""
    try:
        if sentinels is not None:
            host, port = await sentinels.master()
            place = f", the master of {target.service} at {host}:{port}"
            found = [await redis_sentinels.check(sentinels, target)]
        server = await _read_server(client)
        found.insert(0, await _server_finding(client, target, server, place))
        if found[0].state is not CheckState.BAD:
            found.append(await redis_permissions.check(client, target.username or "default"))
            found.append(await redis_memory.check(client))
    except (RedisError, OSError) as error:
        detail, remedy = explain(error, has_tls=target.tls is not None)
        found.insert(0, CheckResult(NAME, CheckState.BAD, f"{detail}{place}", f"{remedy} {WITHOUT_REDIS}"))
    return found


def _sentinels_of(client: Redis) -> Sentinels | None:
    pool = client.connection_pool
    return pool.sentinels if isinstance(pool, ServerPool) else None


async def _read_server(client: Redis) -> _Server:
    facts = _pairs(await client.execute_command("HELLO"))  # type: ignore[no-untyped-call]  # redis-py
    began = time.perf_counter()
    await client.execute_command("HELLO")  # type: ignore[no-untyped-call]  # redis-py
    seconds = time.perf_counter() - began
    # A Sentinel has no role.
    return _Server(facts["server"], facts["version"], facts.get("role", _SENTINEL), seconds)


def _pairs(answer: Any) -> dict[str, str]:
    """The answer of HELLO, which is a flat list in RESP2."""
    items = answer.items() if isinstance(answer, dict) else zip(answer[::2], answer[1::2], strict=True)
    return {_text(key): _text(value) for key, value in items}


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


async def _server_finding(client: Redis, target: RedisTarget, server: _Server, place: str) -> CheckResult:
    name = NAMES.get(server.kind, server.kind)
    encryption = "with TLS" if target.tls is not None else "without TLS"
    refusal = await _refused_write(client) if server.role == _MASTER else None
    state = f"refuses writes: {refusal}" if refusal is not None else f"answers in {server.seconds * 1_000:.1f} ms"
    return make_finding(
        NAME,
        f"{name} {server.version} {encryption}{place or f', a {server.role}'}, {state}",
        bad=_problem(name, server, refusal),
        warning="Run it closer to the server: every sign-in waits for it." if server.seconds > SLOW_SECONDS else "",
    )


def _problem(name: str, server: _Server, refusal: RedisError | None) -> str:
    """What to do if it cannot be used."""
    if server.is_old:
        return f"{name} {OLDEST[server.kind]} or newer is needed."
    if server.role != _MASTER:
        return f"{_NOT_MASTER.get(server.role, '')} {WITHOUT_REDIS}"
    return f"{advice(refusal)} {WITHOUT_REDIS}" if refusal is not None else ""


async def _refused_write(client: Redis) -> RedisError | None:
    """The error of a write. Permissions are checked separately."""
    try:
        await client.set(PROBE_KEY, b"", px=1_000)
    except NoPermissionError:
        return None
    except RedisError as error:
        return error
    return None
