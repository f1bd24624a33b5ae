"""Runs single statements, each a transaction of its own."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from persistence.failures import unavailable
from persistence.reads.lending import Connection, Lending
from persistence.reads.read import Rows, Values
from persistence.reads.statement import Statement
from persistence.statements import Statements

Row = Sequence[Any]
"""The values of a row, in the order of the columns that were asked for; enums as they are stored."""

_MAX_KEPT: Final = 200


class Shape:
    """Columns of whatever rows are asked for; the statements for that are kept."""

    def __init__(self, columns: Sequence[str]) -> None:
        # That a row is there has to be seen by something.
        self.columns = tuple(columns) or ("id",)
        self._statements: dict[Rows, Statement] = {}

    def statement(self, rows: Rows) -> Statement:
        """The statement that reads them of these rows."""
        found = self._statements.get(rows)
        if found is None:
            if len(self._statements) >= _MAX_KEPT:
                self._statements.clear()
            found = self._statements[rows] = Statement.of(rows.select(self.columns))
        return found


class Reading:
    """A connection for one operation's statements."""

    def __init__(self, connection: Connection, statements: Statements) -> None:
        self._connection = connection
        self._statements = statements

    async def rows(self, shape: Shape, rows: Rows, values: Values) -> list[Row]:
        """The rows."""
        return await self.run(shape.statement(rows), values)

    async def run(self, statement: Statement, values: Values) -> list[Row]:
        """What a statement returns; it is a transaction of its own."""
        text = statement.text
        return await self._statements.run(text, self._connection.fetch, text, *statement.arguments(values))


class Reader:
    """Where readings come from."""

    def __init__(self, lending: Lending, statements: Statements) -> None:
        self._lending = lending
        self._statements = statements

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Reading]:
        """A connection, for as long as the block takes.

        Raises:
            Unavailable: the database cannot answer now.
        """
        try:
            async with self._lending.connection() as connection:
                yield Reading(connection, self._statements)
        except Exception as error:
            raise unavailable(error) or error from error
