"""What is to be read, as plain data."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Select

from persistence.pagination import PageRequest

Values = Mapping[str, Any]
"""The values of a statement's parameters, by name."""


class Rows(Protocol):
    """Which rows, and in which order: equal ones share a statement, whatever the values of its parameters."""

    def select(self, columns: Sequence[str]) -> Select[Any]:
        """The statement that reads these columns of them.

        A column is named as its attribute is, `title`; one of a row that is referred to with the reference before it,
        `owner.username`.
        """

    def __hash__(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Query:
    """Rows, and the values that single them out."""

    rows: Rows
    values: Values


@dataclass(frozen=True, slots=True)
class Paged:
    """A page of rows. Each row ends in the request's facts, the value it is sorted by, and an id.

    `cursor` makes the row's cursor of the last two; in the page of a list they are named `place` and `place_id`.
    """

    asked: Query
    request: PageRequest
    cursor: Callable[[Any, Any], str]
