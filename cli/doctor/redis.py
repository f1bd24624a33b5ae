"""Checks Redis or Valkey: the server, or the Sentinels that name it."""

import ssl
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, BusyLoadingError, RedisError

from cli.doctor import redis_memory, redis_permissions
from cli.doctor.finding import CheckResult, CheckState, make_finding
from streaming.redis_acl import PROBE_KEY, SENTINEL_RULES
from streaming.redis_client import ServerPool, create_client
from streaming.redis_errors import advice, is_refusal
from streaming.redis_url import RedisTarget, read_redis_url
from streaming.sentinel import MasterNotFound, UnknownService

NAME: Final = "redis"
TIMEOUT_SECONDS: Final = 2.0
SLOW_SECONDS: Final = 0.1
OLDEST: Final = {"redis": 7, "valkey": 8}
NAMES: Final = {"redis": "Redis", "valkey": "Valkey"}
WITHOUT_REDIS: Final = (
    "Without Redis each process counts rate limits separately, and events arrive up to a quarter of a second later."
)
_SENTINEL_ADVICE: Final = (
    "Correct the service name, sentinel_username and sentinel_password in REDIS_URL. The user of the Sentinels needs "
    f"{SENTINEL_RULES}."
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
    """Whether it can be used, its permissions, and its memory. Only the first, if it does not answer."""
    target = read_redis_url(url)
    client = create_client(url, seconds=TIMEOUT_SECONDS, max_connections=_CONNECTIONS)
    try:
        server = await _read_server(client)
        found = await _server_finding(client, target, server)
        if found.state is CheckState.BAD:
            return [found]
        return [
            found,
            await redis_permissions.check(client, target.username or "default"),
            await redis_memory.check(client),
        ]
    except (RedisError, OSError, TimeoutError) as error:
        return [_unusable(error)]
    finally:
        with suppress(RedisError, OSError):
            await client.aclose()


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


async def _server_finding(client: Redis, target: RedisTarget, server: _Server) -> CheckResult:
    name = NAMES.get(server.kind, server.kind)
    encryption = "with TLS" if target.tls is not None else "without TLS"
    place, silent = await _sentinel_place(client, target)
    bad = f"{name} {OLDEST[server.kind]} or newer is needed." if server.is_old else await _role_problem(client, server)
    slow = "Run it closer to the server: every sign-in waits for it." if server.seconds > SLOW_SECONDS else ""
    return make_finding(
        NAME,
        f"{name} {server.version} {encryption}{place}, a {server.role}, answers in {server.seconds * 1_000:.1f} ms",
        bad=bad,
        warning=silent or slow,
    )


async def _role_problem(client: Redis, server: _Server) -> str:
    """What to do if it is no master that accepts writes. Permissions are checked separately."""
    if server.role != _MASTER:
        return _NOT_MASTER.get(server.role, "")
    try:
        await client.set(PROBE_KEY, b"", px=1_000)
    except RedisError as error:
        return "" if redis_permissions.is_missing(error) else f"It refuses writes: {error}. {advice(error)}"
    return ""


async def _sentinel_place(client: Redis, target: RedisTarget) -> tuple[str, str]:
    """The master that the Sentinels name, and what to do about Sentinels that do not answer."""
    pool = client.connection_pool
    if not isinstance(pool, ServerPool) or pool.sentinels is None:
        return "", ""
    host, port = await pool.sentinels.master()
    states = await pool.sentinels.states()
    silent = [
        f"{address[0]}:{address[1]}"
        for address, state in zip(target.addresses, states, strict=True)
        if isinstance(state, BaseException)
    ]
    place = f", the master of {target.service} at {host}:{port}"
    return place, f"Start the Sentinel at {', '.join(silent)}, or correct REDIS_URL." if silent else ""


def _unusable(error: Exception) -> CheckResult:
    detail, remedy = _explain(error)
    return CheckResult(NAME, CheckState.BAD, detail, f"{remedy} {WITHOUT_REDIS}")


def _explain(error: Exception) -> tuple[str, str]:
    """What is wrong, and what to do."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return (
                f"its certificate is refused: {cause.verify_message}",
                "Set ssl_ca_certs in REDIS_URL to the file of the authority, and connect by a name in the certificate.",
            )
        if isinstance(cause, ssl.SSLError):
            return "does not accept TLS at REDIS_URL", "Use redis:// without TLS, or correct ssl_certfile."
    if isinstance(error, UnknownService):
        return str(error), _SENTINEL_ADVICE
    if isinstance(error, MasterNotFound):
        return "no Sentinel answers at REDIS_URL", "Start the Sentinels, or correct REDIS_URL."
    if isinstance(error, AuthenticationError):
        return "rejects the user or the password of REDIS_URL", "Correct REDIS_URL."
    if isinstance(error, BusyLoadingError) or is_refusal(error):
        return f"refuses commands: {error}", advice(error)
    return "does not answer at REDIS_URL", "Start it, or correct REDIS_URL."


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, and those during which it was raised."""
    each: BaseException | None = error
    while each is not None:
        yield each
        each = each.__cause__ or each.__context__
