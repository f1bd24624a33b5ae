"""Checks that the sessions behind a URL are as `DATABASE_POOLER` says."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import asyncpg
from sqlalchemy.engine import URL

from domain.errors import Unavailable
from persistence.connecting import TIME_OUTS, Connector
from persistence.errors import unavailable
from persistence.pooler import Pooler
from persistence.queries.connection_pool import Connection

ROUNDS: Final = 2
PREPARED_SECONDS: Final = 1.0
"""How long a prepared statement may wait for a session; a pooler with a single session has none left."""
_STATEMENT_LOST: Final = ("26000", "42P05")
_PID: Final = "SELECT pg_backend_pid()"
_PREPARED: Final = "SELECT 'a prepared statement'"
_MISSING: Final = (
    "SELECT format('ALTER ROLE %I SET %s = %L;', current_user, s.name, w.value)"
    " FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS w (name, value, rank) JOIN pg_settings AS s USING (name)"
    " WHERE s.setting IN ('0', 'on') ORDER BY w.rank"
)
_WANTED: Final = {name: f"{milliseconds}ms" for name, milliseconds in TIME_OUTS.items()} | {"jit": "off"}

SHARED: Final = (
    "DATABASE_URL leads to a connection pooler that gives each transaction another session (PgBouncer's pool_mode "
    "transaction): set DATABASE_POOLER=prepared, or DATABASE_POOLER=unprepared for a pooler without prepared "
    "statements, as docs/poolers.md explains."
)
REFUSED: Final = (
    "DATABASE_URL leads to a connection pooler that refuses the settings of a session: set DATABASE_POOLER=prepared, "
    "or DATABASE_POOLER=unprepared for a pooler without prepared statements, as docs/poolers.md explains."
)
NOT_PREPARED: Final = (
    "The connection pooler does not manage prepared statements: set DATABASE_POOLER=unprepared, or let the pooler "
    "manage them (PgBouncer 1.21 or newer, max_prepared_statements)."
)
NO_TRANSACTIONS: Final = (
    "The connection pooler refuses transactions of several statements (PgBouncer's pool_mode statement): set pool_mode "
    "= transaction."
)


class PooledSessions(Exception):
    """There is a pooler that does not fit the settings; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Sessions:
    """The sessions behind a URL.

    `is_shared` tells whether connections were seen to share sessions. `missing` has the statements that set the missing
    time-outs for the role.
    """

    is_shared: bool = False
    missing: tuple[str, ...] = ()


async def check_sessions(url: str | URL, pooler: Pooler = Pooler.NONE) -> Sessions:
    """Check with two connections that the sessions are as *pooler* says.

    Raises:
        PooledSessions: they are not.
        Unavailable: the database does not answer.
    """
    connector = Connector(url, pooler=pooler)
    try:
        async with _connected(connector) as one, _connected(connector) as other:
            return await _check(one, other, pooler)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError) as error:
        raise _translated(error, pooler) from error


@asynccontextmanager
async def _connected(connector: Connector) -> AsyncIterator[Connection]:
    connection = await connector()
    try:
        yield connection
    finally:
        connection.terminate()


async def _check(one: Connection, other: Connection, pooler: Pooler) -> Sessions:
    """Read the session ids of both connections, several times each, because a pooler may reuse the same session.

    Raises:
        PooledSessions: without a pooler, a connection had several sessions, or both connections had the same one.
    """
    seen = [[await _session_of(connection) for _ in range(ROUNDS)] for connection in (one, other, one)]
    first, second = set(seen[0] + seen[2]), set(seen[1])
    is_shared = len(first) > 1 or len(second) > 1 or bool(first & second)
    if is_shared and pooler is Pooler.NONE:
        raise PooledSessions(SHARED)
    missing = [row[0] for row in await one.fetch(_MISSING, list(_WANTED), list(_WANTED.values()))]
    if pooler is Pooler.PREPARED:
        await _execute_prepared(one, other)
    return Sessions(is_shared, tuple(missing))


async def _session_of(connection: Connection) -> int:
    # Within a transaction even a pooler uses one session.
    async with connection.transaction():
        pid: int = await connection.fetchval(_PID)
    return pid


async def _execute_prepared(one: Connection, other: Connection) -> None:
    """Execute a statement again while the other connection holds the session in which it was probably prepared."""
    for _ in range(ROUNDS):
        await one.fetchval(_PREPARED)
        async with other.transaction():
            await other.fetchval(_PID)
            try:
                await one.fetchval(_PREPARED, timeout=PREPARED_SECONDS)
            except TimeoutError:
                return


def _translated(error: Exception, pooler: Pooler) -> Exception:
    text = str(error)
    if "startup parameter" in text:
        return PooledSessions(REFUSED)
    if "pooling mode" in text:
        return PooledSessions(NO_TRANSACTIONS)
    if getattr(error, "sqlstate", None) in _STATEMENT_LOST:
        return PooledSessions(SHARED if pooler is Pooler.NONE else NOT_PREPARED)
    return unavailable(error) or Unavailable("The database does not answer.")
