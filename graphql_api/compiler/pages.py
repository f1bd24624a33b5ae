"""Pages of rows, as projections see them, and pages that belong to rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from domain.actor import Actor
from graphql_api.compiler.arguments import Arguments, Bound
from graphql_api.compiler.code_generator import Project
from persistence.pagination import Facts, Part
from persistence.queries.query import Paged
from persistence.queries.reader import ReadConnection, Row, Shape

_NO_FACTS: Final[Facts] = {}
Find = Callable[[UUID], Any]
"""A row's id → what its page is written as."""


class CompiledPage:
    """The rows of a page in the order of the list, and what was read beside them."""

    __slots__ = ("cursor", "facts", "has_next", "has_previous", "rows")

    def __init__(self, found: Sequence[Row], paged: Paged, facts: Facts) -> None:
        request = paged.request
        self.rows = request.shown(found)
        self.has_previous, self.has_next = request.ends(len(found), facts)
        self.cursor = paged.cursor
        self.facts = facts

    def cursor_at(self, place: int) -> str | None:
        """The cursor of a row; None on an empty page."""
        return self.cursor(self.rows[place][-2], self.rows[place][-1]) if self.rows else None


def page_of(found: Sequence[Row], paged: Paged, *, key: int) -> CompiledPage:
    """The page of rows that were read with its facts; a row without anything at *key* has the facts alone."""
    names = paged.request.facts
    if not names:
        return CompiledPage(found, paged, _NO_FACTS)
    facts = dict(zip(names, found[0][-2 - len(names) : -2], strict=True))
    return CompiledPage([] if found[0][key] is None else found, paged, facts)


@dataclass(frozen=True, slots=True)
class Nested:
    """A page for each object, read for all rows at once; a row has the object's id at `place`, or None there."""

    ask: Callable[..., Paged]
    arguments: Arguments
    parts: frozenset[Part]
    shape: Shape
    project: Project
    place: int

    async def read(self, reading: ReadConnection, actor: Actor, bound: Bound, rows: Sequence[Row]) -> Find:
        """The pages of these rows."""
        ids = list(dict.fromkeys(row[self.place] for row in rows if row[self.place] is not None))
        paged = self.ask(actor, self.parts, ids, **self.arguments.bind(bound))
        found: dict[UUID, list[Row]] = {}
        if ids:
            for each in await reading.rows(self.shape, paged.query.rows, paged.query.values):
                found.setdefault(each[-1], []).append(each)
        return lambda identity: self.project(page_of(found.get(identity, ()), paged, key=-2), (), actor)


@dataclass(frozen=True, slots=True)
class Projection:
    """A function of a row or a page, the columns that it needs, and the pages that belong to each row."""

    project: Project
    shape: Shape
    nested: tuple[Nested, ...]

    async def pages(self, reading: ReadConnection, actor: Actor, bound: Bound, rows: Sequence[Row]) -> Sequence[Find]:
        """The pages that belong to these rows."""
        return [await each.read(reading, actor, bound, rows) for each in self.nested]
