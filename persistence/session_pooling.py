"""Checks that each connection has its own session.

A pooler between this process and PostgreSQL may give each transaction another session (PgBouncer's `pool_mode`
`transaction` and `statement`). Prepared statements, advisory locks and settings belong to a session, so Taskriver
cannot work with such a pooler.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import asyncpg
from sqlalchemy.engine import URL

from domain.errors import Unavailable
from persistence.database import SERVER_SETTINGS, dsn
from persistence.errors import unavailable
from persistence.queries.connection_pool import Connection

TIMEOUT_SECONDS: Final = 3.0
_ROUNDS: Final = 2
_STATEMENT_LOST: Final = ("26000", "42P05")
_SESSION_QUERY: Final = (
    "SELECT pg_backend_pid() AS pid, (SELECT setting FROM pg_settings WHERE name = 'statement_timeout') AS time_out"
)

SHARED: Final = (
    "DATABASE_URL points to a connection pooler that gives each transaction another session (PgBouncer's pool_mode "
    "transaction or statement). Taskriver cannot work with it: set pool_mode = session, or connect to PostgreSQL "
    "directly."
)
REFUSED: Final = (
    "DATABASE_URL points to a connection pooler that refuses the settings of a session (PgBouncer's "
    "ignore_startup_parameters): configure it as docs/deployment.md explains, or connect to PostgreSQL directly."
)


class PooledSessions(Exception):
    """There is a pooler that Taskriver cannot work with; the text says what to do."""


@dataclass(frozen=True, slots=True)
class SessionTimeouts:
    """Whether the time-outs of `SERVER_SETTINGS` are in force in the sessions."""

    time_outs: bool


async def check_sessions(url: str | URL) -> SessionTimeouts:
    """Check with two connections that each has its own session.

    Raises:
        PooledSessions: they do not.
        Unavailable: the database does not answer.
    """
    try:
        async with _connected(url) as one, _connected(url) as other:
            return await _check(one, other)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError) as error:
        raise _translated(error) from error


@asynccontextmanager
async def _connected(url: str | URL) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(
        dsn(url),
        server_settings=SERVER_SETTINGS,
        timeout=TIMEOUT_SECONDS,
        command_timeout=TIMEOUT_SECONDS,
        statement_cache_size=0,
    )
    try:
        yield connection
    finally:
        connection.terminate()


async def _check(one: Connection, other: Connection) -> SessionTimeouts:
    """Read the session ids of both connections, several times each, because a pooler may reuse the same session.

    Raises:
        PooledSessions: a connection had several sessions, or both connections had the same one.
    """
    seen = [[await _session_of(connection) for _ in range(_ROUNDS)] for connection in (one, other, one)]
    first, second = ({pid for pid, _ in seen[0] + seen[2]}, {pid for pid, _ in seen[1]})
    if len(first) > 1 or len(second) > 1 or first & second:
        raise PooledSessions(SHARED)
    return SessionTimeouts(
        all(time_out == SERVER_SETTINGS["statement_timeout"] for each in seen for _, time_out in each)
    )


async def _session_of(connection: Connection) -> tuple[int, str]:
    # Within a transaction even a pooler uses one session.
    async with connection.transaction():
        row = await connection.fetchrow(_SESSION_QUERY)
    return row["pid"], row["time_out"]


def _translated(error: Exception) -> Exception:
    text = str(error)
    if "startup parameter" in text:
        return PooledSessions(REFUSED)
    if "pooling mode" in text or getattr(error, "sqlstate", None) in _STATEMENT_LOST:
        return PooledSessions(SHARED)
    return unavailable(error) or Unavailable("The database does not answer.")
