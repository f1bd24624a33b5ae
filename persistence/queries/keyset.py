"""Keyset conditions: which rows lie between two cursors of an order, and which lie outside."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from operator import ge, gt, le, lt
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Uuid, bindparam, tuple_
from sqlalchemy.types import TypeEngine


class Bound(StrEnum):
    """Where a page starts or ends: where the list does, at a row with a value, or at a row without one."""

    OPEN = "OPEN"
    VALUE = "VALUE"
    NULL = "NULL"


class Window(NamedTuple):
    """The part of an order that a page is taken from, and the end that it is taken from."""

    after: Bound = Bound.OPEN
    before: Bound = Bound.OPEN
    backward: bool = False


@dataclass(frozen=True, slots=True)
class Keyset:
    """An order by a column and then by id; `null` stands for no value in the column.

    The parameters of the conditions are `after`, `after_id`, `before` and `before_id`.
    """

    column: ColumnElement[Any]
    identity: Any
    type: TypeEngine[Any]
    descending: bool
    null: ColumnElement[Any] | None = None

    def inside(self, window: Window) -> list[ColumnElement[bool]]:
        """The rows behind `after` and before `before`."""
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
        """The rows at or behind `before`."""
        return self._compare("before", window.before, le if self.descending else ge)

    def _compare(self, name: str, bound: Bound, comparison: Callable[[Any, Any], Any]) -> ColumnElement[bool]:
        value = self.null if bound is Bound.NULL else bindparam(name, type_=self.type)
        place = tuple_(value, bindparam(f"{name}_id", type_=Uuid()))
        compared: ColumnElement[bool] = comparison(tuple_(self.column, self.identity), place)
        return compared


def ordered(sort: Any, identity: Any, *, descending: bool) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """ORDER BY a value and then by id."""
    return (sort.desc(), identity.desc()) if descending else (sort.asc(), identity.asc())
