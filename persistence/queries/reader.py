"""Runs single statements, each a transaction of its own."""

from collections.abc import Coroutine, Sequence
from functools import lru_cache
from types import TracebackType
from typing import Any, Final, Self

from persistence.errors import broken, unavailable
from persistence.queries.connection_pool import Connection, ConnectionPool
from persistence.queries.query import Rows, Values
from persistence.queries.statement import Statement
from persistence.statement_counts import Statements

Row = Sequence[Any]
"""The values of a row, in the order of the columns that were asked for; enums as they are stored."""

_MAX_KEPT: Final = 2_000


class Shape:
    """Columns of whatever rows are asked for."""

    def __init__(self, columns: Sequence[str]) -> None:
        # That a row is there has to be seen by something.
        self.columns = tuple(columns) or ("id",)

    def statement(self, rows: Rows) -> Statement:
        """The statement that reads them of these rows."""
        return _statement(rows, self.columns)


@lru_cache(maxsize=_MAX_KEPT)
def _statement(rows: Rows, columns: tuple[str, ...]) -> Statement:
    # Which filters are given is the client's to choose: what is kept of that is kept within one bound for all.
    return Statement.of(rows.select(columns))


class ReadConnection:
    """One operation's statements, one after the other, on a connection of its own from the first to the block's end.

    Raises (with the statements):
        Unavailable: the database cannot answer now.
    """

    __slots__ = ("_connection", "_lending", "_statements")

    def __init__(self, lending: ConnectionPool, statements: Statements) -> None:
        self._lending = lending
        self._statements = statements
        self._connection: Connection | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if self._connection is not None:
            self._lending.give_back(self._connection, error)
        if isinstance(error, Exception) and (away := unavailable(error)) is not None:
            raise away from error

    async def rows(self, shape: Shape, rows: Rows, values: Values) -> list[Row]:
        """The rows."""
        return await self.run(shape.statement(rows), values)

    async def run(self, statement: Statement, values: Values) -> list[Row]:
        """What a statement returns; it is a transaction of its own."""
        text, arguments = statement.text, statement.arguments(values)

        def work(connection: Connection) -> Coroutine[Any, Any, list[Row]]:
            return self._statements.run(text, connection.fetch, text, *arguments)

        if self._connection is None:
            self._connection, begun = await self._lending.borrow(work)
        else:
            begun = work(self._connection)
        try:
            found: list[Row] = await begun
        except Exception as error:
            if self._connection.is_closed():
                raise broken(error) from error
            raise
        return found


class Reader:
    """Where readings come from."""

    def __init__(self, lending: ConnectionPool, statements: Statements) -> None:
        self._lending = lending
        self._statements = statements

    def reading(self) -> ReadConnection:
        """A connection, once the reading is entered."""
        return ReadConnection(self._lending, self._statements)
