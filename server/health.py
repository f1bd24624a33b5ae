"""Health endpoints: whether the process is alive, and whether it can serve requests."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

import orjson
from redis.asyncio import Redis
from starlette.requests import Request
from starlette.responses import Response

from domain.errors import Unavailable
from persistence.database import Database
from persistence.schema_check import PROBLEMS, SchemaState

Check = Callable[[], Awaitable[bool]]

_OK: Final = "ok"
_REFUSED: Final = "refused: events arrive by polling"
_EXHAUSTED: Final = "exhausted: new connections are closed"


@dataclass(frozen=True, slots=True)
class Health:
    """What readiness depends on. Each check answers within seconds, and returns False rather than raising."""

    database: Check
    migrations: Callable[[], Awaitable[SchemaState]]
    redis: Check
    refused: Callable[[], bool]
    """Whether Redis refuses commands of the notifier."""
    exhausted: Callable[[], bool]
    """Whether no file descriptors are left for new connections."""
    draining: Callable[[], bool]

    async def live(self, request: Request) -> Response:
        """`/healthz`: 200 while the event loop runs."""
        return _answer(200, {"status": _OK})

    async def ready(self, request: Request) -> Response:
        """`/readyz`: 200 if requests can be served, else 503.

        It is 200 and `degraded` without Redis, or if Redis refuses commands: then events arrive by polling.
        """
        database = await self.database()
        tables = await self.migrations() if database else SchemaState.BEHIND
        checks = {
            "database": _OK if database else "down",
            "migrations": tables.value,
            "redis": _OK if await self.redis() else "degraded",
            "notifications": _REFUSED if self.refused() else _OK,
            "files": _EXHAUSTED if self.exhausted() else _OK,
            "draining": self.draining(),
        }
        ready = checks["database"] == checks["migrations"] == _OK and not checks["draining"]
        body = {"status": _status(checks, ready=ready), "checks": checks}
        return _answer(200 if ready else 503, body | _problem(database, tables))


async def database_answers(database: Database) -> bool:
    """Whether the database answers."""
    try:
        await database.ping()
    except Unavailable:
        return False
    return True


async def redis_answers(redis: Redis, *, seconds: float) -> bool:
    """Whether Redis answers within these seconds."""
    try:
        async with asyncio.timeout(seconds):
            await redis.ping()
    except Exception:
        return False
    return True


def _status(checks: Mapping[str, object], *, ready: bool) -> str:
    if not ready:
        return "unavailable"
    return _OK if checks["redis"] == checks["notifications"] == checks["files"] == _OK else "degraded"


def _problem(database: bool, tables: SchemaState) -> dict[str, object]:
    """A sentence about the database schema, if there is a known problem."""
    problem = PROBLEMS.get(tables) if database else None
    return {"problem": problem} if problem is not None else {}


def _answer(status: int, body: dict[str, object]) -> Response:
    return Response(orjson.dumps(body), status, media_type="application/json", headers={"cache-control": "no-store"})
