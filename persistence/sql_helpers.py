"""Helpers for SQLAlchemy statements: affected rows, bulk inserts."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from sqlalchemy import ARRAY, CursorResult, Result, column, func, literal, select
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute


def affected(result: Result[Any]) -> int:
    """The number of rows that an UPDATE or DELETE has changed."""
    return cast("CursorResult[Any]", result).rowcount


def insert_many(model: type[DeclarativeBase], values: Mapping[InstrumentedAttribute[Any], Sequence[Any]]) -> Insert:
    """INSERT rows in order; *values* has the list of cells of each column, all of the same length."""
    arrays = [literal(list(cells), ARRAY(attribute.type, dimensions=1)) for attribute, cells in values.items()]
    names = [attribute.key for attribute in values]
    rows = func.unnest(*arrays).table_valued(
        *(column(attribute.key, attribute.type) for attribute in values), with_ordinality="place", name="given"
    )
    rows = rows.render_derived()
    query = select(*(rows.c[name] for name in names)).order_by(rows.c.place)
    return insert(model).from_select(names, query)
