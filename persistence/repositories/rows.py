"""Rows as objects of their models."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar, Generic, TypeVar
from uuid import UUID

from sqlalchemy import ColumnClause, Select, column, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.actor import Actor
from domain.errors import NotFound
from persistence.models.base import Base
from persistence.pagination import Page
from persistence.queries.query import Paged, Query

RowT = TypeVar("RowT", bound=Base)


class RowRepository(Generic[RowT]):
    """The rows of a model that one actor may see.

    A subclass declares the model, the name of its objects in error messages, and the query `by_id`.
    """

    model: ClassVar[type[Any]]
    name: ClassVar[str]

    def __init__(self, session: AsyncSession, actor: Actor | None) -> None:
        self._session = session
        self._actor = actor

    @staticmethod
    def by_id(actor: Actor | None, row_id: UUID, /) -> Query:
        """The query for one row, if the actor may see it."""
        raise NotImplementedError

    async def find(self, row_id: UUID, *, lock: bool = False) -> RowT | None:
        """The row, or None if the actor may see no such row; *lock* locks it."""
        read = self.by_id(self._actor, row_id)
        query = whole(self.model, read)
        if lock:
            query = query.with_for_update(key_share=True)
        statement = select(self.model).from_statement(query).execution_options(populate_existing=lock)
        row: RowT | None = await self._session.scalar(statement, read.values)
        return row

    async def get(self, row_id: UUID, *, lock: bool = False, path: tuple[str, ...] = ("id",)) -> RowT:
        """The row; *lock* locks it, and *path* is the input field of the error.

        Raises:
            NotFound: the actor may see no such row.
        """
        row = await self.find(row_id, lock=lock)
        if row is None:
            raise NotFound(f"{self.name} not found", path=path)
        return row

    def add(self, row: RowT) -> None:
        """Add a new row."""
        self._session.add(row)


async def rows_of(session: AsyncSession, model: type[RowT], query: Query) -> list[RowT]:
    """The rows of a query."""
    statement = select(model).from_statement(whole(model, query))
    return list(await session.scalars(statement, query.values))


async def page_of(session: AsyncSession, model: type[RowT], paged: Paged) -> Page[RowT]:
    """The rows of a page, with their cursors and the facts that their statement reads beside them."""
    names = paged.request.facts
    beside: list[ColumnClause[Any]] = [column(name) for name in (*names, "place", "place_id")]
    statement = select(model, *beside).from_statement(whole(model, paged.query))
    found: Sequence[Any] = (await session.execute(statement, paged.query.values)).all()
    facts = dict(zip(names, found[0][1:-2], strict=True)) if names else {}
    rows = [row for row in found if row[0] is not None]
    page: Page[Any] = Page.of(paged.request, rows, facts, lambda row: paged.cursor(row[-2], row[-1]))
    return replace(page, rows=[row[0] for row in page.rows])


def whole(model: type[Base], query: Query) -> Select[Any]:
    """The statement that reads all columns of a model."""
    return query.rows.select(tuple(model.__table__.columns.keys()))
