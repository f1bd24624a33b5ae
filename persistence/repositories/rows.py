"""Reading and changing the rows of models in a unit of work."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any, ClassVar, Generic, Protocol, TypeVar
from uuid import UUID

from domain.actor import Actor
from domain.errors import NotFound
from persistence.models.base import Base
from persistence.models.rows import column_names, row_factory
from persistence.pagination import Page
from persistence.queries.query import Paged, Query
from persistence.queries.reader import Shape
from persistence.row_locks import LockMode, RowLock
from persistence.transaction import Transaction
from persistence.write_set import WriteSet

RowT = TypeVar("RowT", bound=Base)


class Work(Protocol):
    """What repositories need of the unit of work that they belong to."""

    transaction: Transaction
    write_set: WriteSet

    @property
    def stamp(self) -> datetime | None:
        """The time for columns that decide when a row is removed: None is the time of the database's clock."""

    async def lock(self, *locks: RowLock) -> list[Any]:
        """Lock rows and return them; None for those that do not exist."""


class RowRepository(Generic[RowT]):
    """The rows of a model that one actor may see.

    A subclass declares the model, the name of its objects in error messages, and the query `by_id`.
    """

    model: ClassVar[type[Any]]
    name: ClassVar[str]

    def __init__(self, work: Work, actor: Actor | None) -> None:
        self._work = work
        self._actor = actor

    @staticmethod
    def by_id(actor: Actor | None, row_id: UUID, /) -> Query:
        """The query for one row, if the actor may see it."""
        raise NotImplementedError

    async def find(self, row_id: UUID) -> RowT | None:
        """The row, or None if the actor may see no such row."""
        rows: list[RowT] = await rows_of(self._work.transaction, self.model, self.by_id(self._actor, row_id))
        return rows[0] if rows else None

    async def get(self, row_id: UUID, *, path: tuple[str, ...] = ("id",)) -> RowT:
        """The row; *path* is the input field of the error.

        Raises:
            NotFound: the actor may see no such row.
        """
        return self.existing(await self.find(row_id), path=path)

    def lock_of(self, row_id: UUID, mode: LockMode = LockMode.EXCLUSIVE) -> RowLock:
        """The lock of a row, for `write` and `lock` of the unit of work."""
        return RowLock(self.model, row_id, mode)

    def existing(self, row: RowT | None, *, path: tuple[str, ...] = ("id",)) -> RowT:
        """The row. A row that was locked by its id may be one that the actor may not see: the policy decides.

        Raises:
            NotFound: it is None.
        """
        if row is None:
            raise NotFound(f"{self.name} not found", path=path)
        return row

    def add(self, row: RowT) -> None:
        """Add a new row."""
        self._work.write_set.insert(row)

    def remove(self, row: RowT) -> None:
        """Delete a locked row."""
        self._work.write_set.delete(row)


async def rows_of(transaction: Transaction, model: type[RowT], query: Query) -> list[RowT]:
    """The rows of a query."""
    make = row_factory(model)
    return [make(values) for values in await transaction.query(query, _whole(model))]


async def page_of(transaction: Transaction, model: type[RowT], paged: Paged) -> Page[RowT]:
    """The rows of a page, with their cursors and the facts that their statement reads beside them."""
    names, columns = paged.request.facts, column_names(model)
    found = await transaction.query(paged.query, _whole(model))
    facts = dict(zip(names, found[0][len(columns) : -2], strict=True)) if names else {}
    identity = columns.index("id")
    rows = [row for row in found if row[identity] is not None]  # an empty page with facts is one row without a row
    page: Page[Any] = Page.of(paged.request, rows, facts, lambda row: paged.cursor(row[-2], row[-1]))
    make: Callable[[Sequence[Any]], RowT] = row_factory(model)
    return replace(page, rows=[make(row) for row in page.rows])


@lru_cache(maxsize=100)
def _whole(model: type[Base]) -> Shape:
    return Shape(column_names(model))
