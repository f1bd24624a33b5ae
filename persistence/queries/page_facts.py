"""What a statement reads beside the rows of a page: one row that is there even if the page is empty."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, func, literal_column, select

from persistence.models import EVENT_HEAD

ONE: Final[ColumnElement[int]] = literal_column("1")
"""A limit that the planner knows."""

_HEAD: Final = {"head_epoch": EVENT_HEAD.c.epoch, "head_position": EVENT_HEAD.c.position}

Known = Mapping[str, Callable[[], ColumnElement[Any]]]
"""Functions that write a column, by its name."""


def facts_of(names: Sequence[str], known: Known) -> Select[Any]:
    """One row of these columns: each is *known*, or tells where the event log stands.

    All of them, and the rows beside them, are of one statement and so of one snapshot.
    """
    columns = (known[name]() if name in known else select(_HEAD[name]).scalar_subquery() for name in names)
    return select(*(column.label(name) for name, column in zip(names, columns, strict=True)))


def is_any(*rows: Select[Any]) -> ColumnElement[bool]:
    """Whether one of these queries finds a row, each of which finds one at most; the next runs if the last found none.

    EXISTS would drop the order of a query, and with it the index that leads to the nearest row first.
    """
    return func.coalesce(*(each.scalar_subquery() for each in rows)).is_not(None)
