"""Users for subscription events are read with one statement at a time."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.actor import OPERATOR
from domain.errors import Unavailable
from graphql_api import loaders
from graphql_api.loaders import RowReader, users_by_id
from persistence.models import UserRow
from persistence.models.rows import new_row
from tests.support.waiting import HANG_SECONDS


class Statements:
    """Statements that end when the test says so."""

    def __init__(self) -> None:
        self.ids: list[set[UUID]] = []
        self.may_end = asyncio.Event()
        self.failure: Exception | None = None
        self.missing: set[UUID] = set()

    async def read(self, unit_of_work: object, model: object, query: Any) -> list[UserRow]:
        """Replaces `read_rows`."""
        ids = {key for value in query.values.values() for key in value}
        self.ids.append(ids)
        await self.may_end.wait()
        if self.failure is not None:
            raise self.failure
        return [new_row(UserRow, id=key) for key in ids - self.missing]


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> Statements:
    """The statements of the readers."""
    statements = Statements()
    monkeypatch.setattr(loaders, "read_rows", statements.read)
    return statements


def a_reader() -> RowReader:
    """A reader without a database."""
    unused: Any = object
    return RowReader(unused, UserRow, users_by_id, OPERATOR)


async def test_users_that_are_needed_during_a_statement_are_read_by_the_next_one(statements: Statements):
    """Also a user that is being read: the row may have changed meanwhile."""
    reader, ids = a_reader(), [uuid4() for _ in range(10)]
    first = reader.load(ids[0])
    await asyncio.sleep(0)
    later = [reader.load(key) for key in (*ids, *ids)]
    statements.may_end.set()
    async with asyncio.timeout(HANG_SECONDS):
        found = await asyncio.gather(first, *later)

    assert [row.id for row in found if row is not None] == [ids[0], *ids, *ids]
    assert statements.ids == [{ids[0]}, set(ids)]


async def test_a_user_that_does_not_exist_is_none(statements: Statements):
    """The others are found."""
    reader, known, unknown = a_reader(), uuid4(), uuid4()
    statements.missing = {unknown}
    statements.may_end.set()
    async with asyncio.timeout(HANG_SECONDS):
        found = await asyncio.gather(reader.load(known), reader.load(unknown))

    assert [row and row.id for row in found] == [known, None]


async def test_a_failure_reaches_the_callers_of_its_statement(statements: Statements):
    """A caller that has left does not matter, and the next statement works."""
    reader = a_reader()
    statements.failure = Unavailable("The database does not answer.")
    callers = [reader.load(uuid4()) for _ in range(3)]
    callers[0].cancel()
    statements.may_end.set()
    async with asyncio.timeout(HANG_SECONDS):
        results = await asyncio.gather(*callers[1:], return_exceptions=True)
        statements.failure = None
        assert await reader.load(uuid4()) is not None

    assert [type(each) for each in results] == [Unavailable, Unavailable]
