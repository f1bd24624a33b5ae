"""A read query as plain data."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Select

from persistence.pagination import PageRequest

Values = Mapping[str, Any]
"""The values of a statement's parameters, by name."""


class Rows(Protocol):
    """Rows and their order. Equal objects share a statement; the values of its parameters are separate."""

    def select(self, columns: Sequence[str]) -> Select[Any]:
        """The statement that reads these columns.

        A column has the name of its attribute, such as `title`; a column of a referenced row has the name of the
        reference before it, such as `owner.username`.
        """

    def __hash__(self) -> int: ...


@dataclass(slots=True)
class Query:
    """Rows with the values of the statement's parameters."""

    rows: Rows
    values: Values


@dataclass(slots=True)
class Paged:
    """A page of rows. Each row ends in the request's facts, the value it is sorted by, and an id.

    `cursor` makes the row's cursor of the last two; in the page of a list they are named `place` and `place_id`.
    """

    query: Query
    request: PageRequest
    cursor: Callable[[Any, Any], str]
