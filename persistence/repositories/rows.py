"""Rows of a page as objects, and what their statement reads beside them."""

from collections.abc import Sequence
from typing import Any, TypeVar

from sqlalchemy import column, select
from sqlalchemy.ext.asyncio import AsyncSession

from persistence.models.base import Base
from persistence.pagination import Facts
from persistence.queries.query import Query

RowT = TypeVar("RowT", bound=Base)


async def rows_and_facts(
    session: AsyncSession, kind: type[RowT], asked: Query, columns: Sequence[str], facts: Sequence[str]
) -> tuple[list[RowT], Facts]:
    """The rows, and the facts by name."""
    statement = select(kind, *(column(name) for name in facts)).from_statement(asked.rows.select(columns))
    found: Sequence[Any] = (await session.execute(statement, asked.values)).all()
    rows = [row[0] for row in found if row[0] is not None]
    return rows, dict(zip(facts, found[0][1:], strict=True)) if facts else {}
