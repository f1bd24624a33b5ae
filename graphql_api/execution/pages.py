"""Pages of rows, as projections see them, and pages that belong to rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from domain.actor import Actor
from graphql_api.execution.arguments import Arguments, Bound
from graphql_api.execution.projection import Project
from graphql_api.schema.stands_for import Paged
from persistence.reads.reader import Reading, Row, Shape

Find = Callable[[UUID], Any]
"""A row's id → what its page is written as."""


class Page:
    """The rows of a page, and what is known of it beside them."""

    __slots__ = ("cursor", "has_next", "has_previous", "rows", "stream_cursor", "total")

    def __init__(
        self, rows: Sequence[Row], paged: Paged, *, total: int | None = None, stream_cursor: str | None = None
    ) -> None:
        self.rows = rows[: paged.first]
        self.has_next = len(rows) > paged.first
        self.has_previous = paged.is_behind
        self.cursor = paged.cursor
        self.total = total
        self.stream_cursor = stream_cursor

    def cursor_at(self, place: int) -> str | None:
        """The cursor of a row; None on an empty page."""
        return self.cursor(self.rows[place][-2], self.rows[place][-1]) if self.rows else None


@dataclass(frozen=True, slots=True)
class Nested:
    """A page for each row, read for all rows at once; a row has its id at `place`."""

    ask: Callable[..., Paged]
    arguments: Arguments
    shape: Shape
    project: Project
    place: int

    async def read(self, reading: Reading, actor: Actor, bound: Bound, rows: Sequence[Row]) -> Find:
        """The pages of these rows."""
        paged = self.ask(actor, [row[self.place] for row in rows], **self.arguments.bind(bound))
        found: dict[UUID, list[Row]] = {}
        if rows:
            for each in await reading.rows(self.shape, paged.asked.rows, paged.asked.values):
                found.setdefault(each[-1], []).append(each)
        return lambda identity: self.project(Page(found.get(identity, ()), paged), (), actor)


@dataclass(frozen=True, slots=True)
class Projection:
    """A function of a row or a page, the columns that it needs, and the pages that belong to each row."""

    project: Project
    shape: Shape
    nested: tuple[Nested, ...]

    async def pages(self, reading: Reading, actor: Actor, bound: Bound, rows: Sequence[Row]) -> Sequence[Find]:
        """The pages that belong to these rows."""
        return [await each.read(reading, actor, bound, rows) for each in self.nested]
