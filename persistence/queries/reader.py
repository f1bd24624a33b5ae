"""Executes single statements, each in its own transaction."""

from collections.abc import Coroutine, Sequence
from functools import lru_cache
from types import TracebackType
from typing import Any, Final, Self

from persistence.errors import connection_lost, unavailable
from persistence.queries.connection_pool import Connection, ConnectionPool
from persistence.queries.query import Rows, Values
from persistence.queries.statement import Statement
from persistence.statement_counts import Statements

Row = Sequence[Any]
"""The values of a row in the order of the requested columns; enums as they are stored."""

_MAX_CACHED: Final = 2_000
MAX_AHEAD: Final = 1_500
"""Statements in the cache after which none are compiled ahead: they would displace each other."""


class Shape:
    """A list of columns, for any rows."""

    def __init__(self, columns: Sequence[str]) -> None:
        # A statement needs at least one column to show that a row exists.
        self.columns = tuple(columns) or ("id",)

    def statement(self, rows: Rows) -> Statement:
        """The statement that reads these columns of *rows*."""
        return _statement(rows, self.columns)


@lru_cache(maxsize=_MAX_CACHED)
def _statement(rows: Rows, columns: tuple[str, ...]) -> Statement:
    # Clients choose the combination of filters, so the number of cached statements must be limited.
    return Statement.of(rows.select(columns))


def has_room_for_statements() -> bool:
    """Whether statements that no request needs yet may be compiled."""
    return _statement.cache_info().currsize < MAX_AHEAD


class ReadConnection:
    """The statements of one operation, one after the other, on one connection. It is acquired for the first statement.

    Raises (with the statements):
        Unavailable: the database is temporarily unavailable.
    """

    __slots__ = ("_connection", "_pool", "_statements")

    def __init__(self, pool: ConnectionPool, statements: Statements) -> None:
        self._pool = pool
        self._statements = statements
        self._connection: Connection | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if self._connection is not None:
            self._pool.release(self._connection, error)
        if isinstance(error, Exception) and (failure := unavailable(error)) is not None:
            raise failure from error

    def rows(self, shape: Shape, rows: Rows, values: Values) -> Coroutine[Any, Any, list[Row]]:
        """Read rows."""
        return self.run(shape.statement(rows), values)

    async def run(self, statement: Statement, values: Values) -> list[Row]:
        """Execute a statement in its own transaction."""
        text, arguments = statement.text, statement.arguments(values)

        def work(connection: Connection) -> Coroutine[Any, Any, list[Row]]:
            return self._statements.run(text, connection.fetch, text, *arguments)

        if self._connection is None:
            self._connection, work_in_progress = await self._pool.acquire(work)
        else:
            work_in_progress = work(self._connection)
        try:
            found: list[Row] = await work_in_progress
        except Exception as error:
            if self._connection.is_closed():
                raise connection_lost(error) from error
            raise
        return found


class Reader:
    """Creates read connections."""

    def __init__(self, pool: ConnectionPool, statements: Statements) -> None:
        self._pool = pool
        self._statements = statements

    def reading(self) -> ReadConnection:
        """A read connection, as a context manager."""
        return ReadConnection(self._pool, self._statements)
