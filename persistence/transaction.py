"""A transaction on a connection of the pool."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

from domain.errors import Unavailable
from persistence.errors import connection_lost, is_statement_error
from persistence.queries.connection_pool import Connection, ConnectionPool
from persistence.queries.query import Query
from persistence.queries.reader import Row, Shape
from persistence.queries.unanswered_writes import REFUSED
from persistence.statement_counts import Statements

SNAPSHOT: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
"""Begins a transaction whose statements all see the same snapshot."""

NOT_CONFIRMED: Final = (
    "The change is stored, but no standby has confirmed it: a failover can lose it. Check it before you try again."
)

_NUMBER: Final = Shape(())
_INTERRUPTED: Final = RuntimeError("a statement was interrupted")


class Transaction:
    """Statements on one connection, which is acquired for the first one.

    Until `begin` each statement is a transaction of its own, as in PostgreSQL itself. `close` rolls back what was not
    committed.
    """

    def __init__(self, pool: ConnectionPool, statements: Statements) -> None:
        self._pool = pool
        self._statements = statements
        self._connection: Connection | None = None
        self._is_open = False
        self._is_busy = False
        self._is_writing = False
        self._error: BaseException = _INTERRUPTED

    @property
    def is_open(self) -> bool:
        """Whether a transaction has begun and has not ended."""
        return self._is_open

    async def begin(self, command: str = "BEGIN") -> None:
        """Begin, unless it has begun.

        Raises:
            Unavailable: it may write, and the server does not answer earlier writes.
        """
        if not self._is_open:
            if command != SNAPSHOT:
                await self._pool.check_writes()
            await self._execute(command)
            self._is_open = True

    async def commit(self) -> None:
        """Commit, if it has begun.

        Raises:
            Unavailable: the server does not answer earlier writes, or the commit has ended without its standby.
        """
        if self._is_open:
            if self._pool.refuses_writes:
                raise Unavailable(REFUSED)
            self._is_writing = True
            await self._execute("COMMIT")
            self._is_open = self._is_writing = False

    async def query(self, query: Query, shape: Shape) -> list[Row]:
        """The rows of a query, with the columns of the shape."""
        statement = shape.statement(query.rows)
        return await self.fetch(statement.text, *statement.arguments(query.values))

    async def number(self, query: Query) -> int:
        """The result of a query for one number."""
        rows = await self.query(query, _NUMBER)
        return int(rows[0][0])

    async def fetch(self, text: str, *arguments: Any) -> list[Row]:
        """The rows of a statement."""

        def work(connection: Connection) -> Coroutine[Any, Any, list[Row]]:
            # The caller may have waited for a connection, while others waited for an answer.
            if self._is_writing and self._pool.refuses_writes:
                return _refuse()
            return self._statements.run(text, connection.fetch, text, *arguments)

        found: list[Row] = await self._run(work)
        return found

    async def write(self, text: str, *arguments: Any) -> list[Row]:
        """The rows of a statement that writes. Unless a transaction has begun, it also commits.

        Raises:
            Unavailable: the server does not answer earlier writes, or the commit has ended without its standby.
        """
        if self._is_open:
            return await self.fetch(text, *arguments)
        await self._pool.check_writes()
        self._is_writing = True
        found = await self.fetch(text, *arguments)
        self._is_writing = False
        return found

    async def value(self, text: str, *arguments: Any) -> Any:
        """The first column of the first row, or None."""
        return _value(await self.fetch(text, *arguments))

    async def written_value(self, text: str, *arguments: Any) -> Any:
        """The first column of the first row of a statement that writes, or None; see `write`."""
        return _value(await self.write(text, *arguments))

    def discard(self) -> None:
        """Let `close` close the connection, too: it leads to a server that is not wanted."""
        self._is_busy = True

    async def close(self) -> None:
        """Roll back, and give the connection back.

        If a statement was interrupted, the connection is closed; if this was a write, when the server has answered it.
        """
        connection, self._connection = self._connection, None
        is_open, self._is_open = self._is_open, False
        is_broken, self._is_busy = self._is_busy, False
        is_writing, self._is_writing = self._is_writing, False
        error, self._error = self._error, _INTERRUPTED  # it refers to this object, by its traceback
        if connection is None:
            return
        try:
            if is_open and not is_broken:
                is_broken = True  # unless the rollback is answered
                await connection.execute("ROLLBACK")
                is_broken = False
        finally:
            self._pool.release(connection, error if is_broken else None, is_writing=is_writing)

    async def _execute(self, command: str) -> None:
        def work(connection: Connection) -> Coroutine[Any, Any, None]:
            execution: Coroutine[Any, Any, None] = connection.execute(command)
            return execution

        await self._run(work)

    async def _run(self, work: Callable[[Connection], Coroutine[Any, Any, Any]]) -> Any:
        self._is_busy = True
        if self._connection is None:
            self._connection, pending = await self._pool.acquire(work)
        else:
            pending = work(self._connection)
        try:
            result = await pending
        except Exception as error:
            self._error = error
            if self._connection.is_closed():
                raise connection_lost(error) from error
            self._is_busy = not is_statement_error(error)
            self._is_writing = self._is_writing and self._is_busy
            raise
        if self._is_writing and self._connection.is_unconfirmed:
            raise Unavailable(NOT_CONFIRMED)
        self._is_busy = False
        return result


async def _refuse() -> list[Row]:
    raise Unavailable(REFUSED)


def _value(rows: Sequence[Row]) -> Any:
    return rows[0][0] if rows else None
