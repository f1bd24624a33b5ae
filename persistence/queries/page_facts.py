"""Facts that a statement reads beside the rows of a page, in one row that exists even if the page is empty."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, func, literal_column, select

from persistence.models import EVENT_HEAD

ONE: Final[ColumnElement[int]] = literal_column("1")
"""A constant limit, so that the planner knows its value."""

_HEAD: Final = {
    "head_epoch": EVENT_HEAD.c.cursor_epoch,
    "head_position": EVENT_HEAD.c.position,
    "head_fingerprint": EVENT_HEAD.c.cursor_fingerprint,
}
"""What a stream cursor needs of the head of the event log, by the names of the columns that have it."""

Known = Mapping[str, Callable[[], ColumnElement[Any]]]
"""Functions that create a column, by its name."""


def facts_of(names: Sequence[str], known: Known) -> Select[Any]:
    """One row with these columns: each is *known*, or it is part of the head of the event log.

    The facts and the rows are read by one statement, and so in one snapshot.
    """
    columns = (known[name]() if name in known else _of_head(name) for name in names)
    return select(*(column.label(name) for name, column in zip(names, columns, strict=True)))


def head_columns() -> list[ColumnElement[Any]]:
    """The head of the event log, as columns of each row. PostgreSQL reads those that a statement uses, once."""
    return [_of_head(name).label(name) for name in _HEAD]


def is_any(*rows: Select[Any]) -> ColumnElement[bool]:
    """Whether one of these queries finds a row. Each must return at most one; the next runs only if one finds none.

    EXISTS would ignore the order of a query, and then the planner would not use the index for this order.
    """
    return func.coalesce(*(each.scalar_subquery() for each in rows)).is_not(None)


def _of_head(name: str) -> ColumnElement[Any]:
    return select(_HEAD[name]).scalar_subquery()
