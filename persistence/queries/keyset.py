"""Keyset conditions: the rows between two cursors of an order, and the rows outside."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from operator import ge, gt, le, lt
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Uuid, bindparam, tuple_
from sqlalchemy.types import TypeEngine


class Bound(StrEnum):
    """The bound of a page: the end of the list, a row with a value, or a row without a value."""

    OPEN = "OPEN"
    VALUE = "VALUE"
    NULL = "NULL"


class Window(NamedTuple):
    """The part of an order from which a page is taken, and the end at which it starts."""

    after: Bound = Bound.OPEN
    before: Bound = Bound.OPEN
    backward: bool = False


@dataclass(frozen=True, slots=True)
class Keyset:
    """An order by a column and then by id; `null` replaces a missing value of the column.

    The parameters of the conditions are `after`, `after_id`, `before` and `before_id`.
    """

    column: ColumnElement[Any]
    identity: Any
    type: TypeEngine[Any]
    descending: bool
    null: ColumnElement[Any] | None = None

    def inside(self, window: Window) -> list[ColumnElement[bool]]:
        """The rows after `after` and before `before`."""
        found = []
        if window.after is not Bound.OPEN:
            found.append(self._compare("after", window.after, lt if self.descending else gt))
        if window.before is not Bound.OPEN:
            found.append(self._compare("before", window.before, gt if self.descending else lt))
        return found

    def earlier(self, window: Window) -> ColumnElement[bool]:
        """The rows at or before `after`."""
        return self._compare("after", window.after, ge if self.descending else le)

    def later(self, window: Window) -> ColumnElement[bool]:
        """The rows at or after `before`."""
        return self._compare("before", window.before, le if self.descending else ge)

    def _compare(self, name: str, bound: Bound, comparison: Callable[[Any, Any], Any]) -> ColumnElement[bool]:
        value = self.null if bound is Bound.NULL else bindparam(name, type_=self.type)
        place = tuple_(value, bindparam(f"{name}_id", type_=Uuid()))
        compared: ColumnElement[bool] = comparison(tuple_(self.column, self.identity), place)
        return compared


def ordered(sort: Any, identity: Any, *, descending: bool) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """ORDER BY a value and then by id."""
    return (sort.desc(), identity.desc()) if descending else (sort.asc(), identity.asc())
