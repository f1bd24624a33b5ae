"""Rows as objects of their models."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

from sqlalchemy import ColumnClause, Select, column, select
from sqlalchemy.ext.asyncio import AsyncSession

from persistence.models.base import Base
from persistence.pagination import Page
from persistence.queries.query import Paged, Query

RowT = TypeVar("RowT", bound=Base)


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
