"""Whether a connection is a session of its own.

A pooler between this process and PostgreSQL may give each transaction another session (PgBouncer's `pool_mode`
`transaction` and `statement`). Prepared statements, advisory locks and settings belong to a session, so nothing here
works that way.
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

SECONDS: Final = 3.0
_ROUNDS: Final = 2
_STATEMENT_IS_GONE: Final = ("26000", "42P05")
_LOOK: Final = (
    "SELECT pg_backend_pid() AS pid, (SELECT setting FROM pg_settings WHERE name = 'statement_timeout') AS time_out"
)

SHARED: Final = (
    "DATABASE_URL leads to a connection pooler that gives each transaction another session (PgBouncer's pool_mode "
    "transaction or statement), which Taskriver cannot work with: set pool_mode = session, or name PostgreSQL itself."
)
REFUSED: Final = (
    "DATABASE_URL leads to a connection pooler that refuses the settings of a session (PgBouncer's "
    "ignore_startup_parameters): docs/deployment.md says how to set it up, or name PostgreSQL itself."
)


class PooledSessions(Exception):
    """A pooler is in between that Taskriver cannot work with; says so in one line, with what to do."""


@dataclass(frozen=True, slots=True)
class Sessions:
    """How the sessions are: whether the server's own time-outs, see `SERVER_SETTINGS`, are in force."""

    time_outs: bool


async def check_sessions(url: str | URL) -> Sessions:
    """See over two connections that each of them is a session of its own.

    Raises:
        PooledSessions: they are not.
        Unavailable: the database does not answer.
    """
    try:
        async with _connected(url) as one, _connected(url) as other:
            return await _look(one, other)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError) as error:
        raise _told(error) from error


@asynccontextmanager
async def _connected(url: str | URL) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(
        dsn(url), server_settings=SERVER_SETTINGS, timeout=SECONDS, command_timeout=SECONDS, statement_cache_size=0
    )
    try:
        yield connection
    finally:
        connection.terminate()


async def _look(one: Connection, other: Connection) -> Sessions:
    """Ask both which session they are, each several times in a row: a pooler takes the one that was free last, or next.

    Raises:
        PooledSessions: one was several, or both were the same.
    """
    seen = [[await _ask(connection) for _ in range(_ROUNDS)] for connection in (one, other, one)]
    first, second = ({pid for pid, _ in seen[0] + seen[2]}, {pid for pid, _ in seen[1]})
    if len(first) > 1 or len(second) > 1 or first & second:
        raise PooledSessions(SHARED)
    return Sessions(all(time_out == SERVER_SETTINGS["statement_timeout"] for each in seen for _, time_out in each))


async def _ask(connection: Connection) -> tuple[int, str]:
    # Within a transaction even a pooler keeps to one session, so that the answer comes.
    async with connection.transaction():
        row = await connection.fetchrow(_LOOK)
    return row["pid"], row["time_out"]


def _told(error: Exception) -> Exception:
    text = str(error)
    if "startup parameter" in text:
        return PooledSessions(REFUSED)
    if "pooling mode" in text or getattr(error, "sqlstate", None) in _STATEMENT_IS_GONE:
        return PooledSessions(SHARED)
    return unavailable(error) or Unavailable("The database does not answer.")
