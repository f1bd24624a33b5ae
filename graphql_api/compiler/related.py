"""Reads what belongs to rows: the rows that they refer to, and a page for each. One statement reads it for all of them.

What is read can have related rows and pages, too.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeVar
from uuid import UUID

from domain.actor import Actor
from graphql_api.compiler.arguments import Arguments, Bound
from graphql_api.compiler.pages import page_of
from graphql_api.loaders import Ask
from persistence.pagination import Part
from persistence.queries.query import Paged
from persistence.queries.reader import ReadConnection, Row, Shape

PlaceT = TypeVar("PlaceT")

Project = Callable[..., Any]
"""A generated function: a row or a page, what is related to it, and the actor → a part of the response."""

Find = Callable[[UUID | None], Any]
"""The id of a row → the value of the field that is related to it. Null if there is no such row."""

Found = Sequence[Sequence[Find]]
"""For each lookup, a function for each of its fields."""

NOTHING: Final[Found] = ()


class Lookup(Protocol):
    """One statement that reads what several fields need."""

    def check(self, actor: Actor, bound: Bound) -> None:
        """Check the arguments of the fields, here and below.

        Raises:
            DomainError: an argument breaks a rule.
        """

    async def read(self, reading: ReadConnection, actor: Actor | None, bound: Bound, ids: list[UUID]) -> Sequence[Find]:
        """Read what belongs to these ids; a function for each field."""

    def compile(self, actor: Actor, bound: Bound) -> None:
        """Compile the statements, here and below, without sending them.

        Raises:
            DomainError: an argument breaks a rule.
        """


@dataclass(frozen=True, slots=True)
class Related(Generic[PlaceT]):
    """A lookup, and for each of its fields the place of the id that it needs."""

    lookup: Lookup
    places: tuple[PlaceT, ...]


RelatedToRow = Related[int]
"""The places are indexes of columns."""


async def read_related(
    related: Sequence[RelatedToRow], reading: ReadConnection, actor: Actor | None, bound: Bound, rows: Collection[Row]
) -> Found:
    """Read what is related to these rows."""
    if not rows or not related:
        return NOTHING
    found = []
    for each in related:
        ids = dict.fromkeys(row[place] for place in each.places for row in rows)
        ids.pop(None, None)
        found.append(await each.lookup.read(reading, actor, bound, list(ids)))
    return found


@dataclass(frozen=True, slots=True)
class Projection:
    """A function of a row or a page, the columns that it needs, and what is related to each row."""

    project: Project
    shape: Shape
    related: tuple[RelatedToRow, ...]


@dataclass(frozen=True, slots=True)
class RowLookup:
    """Rows by their ids, each beginning with its id, and a function for each field that refers to them."""

    ask: Ask
    shape: Shape
    functions: tuple[Project, ...]
    related: tuple[RelatedToRow, ...]

    def check(self, actor: Actor, bound: Bound) -> None:
        """Check the arguments of the fields below."""
        check_related(self.related, actor, bound)

    async def read(self, reading: ReadConnection, actor: Actor | None, bound: Bound, ids: list[UUID]) -> Sequence[Find]:
        """Read the rows that the actor may see, and what is related to them."""
        rows: dict[UUID | None, Row] = {}
        if ids:
            asked = self.ask(actor, ids)
            rows = {row[0]: row for row in await reading.rows(self.shape, asked.rows, asked.values)}
        found = await read_related(self.related, reading, actor, bound, rows.values())
        return [_find_row(project, rows, found, actor) for project in self.functions]

    def compile(self, actor: Actor, bound: Bound) -> None:
        """Compile the statement for the rows, and those below."""
        self.shape.statement(self.ask(actor, []).rows)
        compile_related(self.related, actor, bound)


@dataclass(frozen=True, slots=True)
class PageLookup:
    """A page for each object. A row of a page ends with the id of the object."""

    ask: Callable[..., Paged]
    arguments: Arguments
    parts: frozenset[Part]
    made: Projection

    def check(self, actor: Actor, bound: Bound) -> None:
        """Check the arguments of the page, and those of the fields below."""
        self.ask(actor, self.parts, [], **self.arguments.bind(bound))
        check_related(self.made.related, actor, bound)

    async def read(self, reading: ReadConnection, actor: Actor | None, bound: Bound, ids: list[UUID]) -> Sequence[Find]:
        """Read the pages of all objects, and what is related to their rows."""
        paged = self.ask(actor, self.parts, ids, **self.arguments.bind(bound))
        rows = await reading.rows(self.made.shape, paged.query.rows, paged.query.values) if ids else []
        by_object: dict[UUID | None, list[Row]] = {}
        for row in rows:
            by_object.setdefault(row[-1], []).append(row)
        found = await read_related(self.made.related, reading, actor, bound, rows)
        return [lambda identity: self.made.project(page_of(by_object.get(identity, ()), paged, key=-2), found, actor)]

    def compile(self, actor: Actor, bound: Bound) -> None:
        """Compile the statement for the pages, and those below."""
        paged = self.ask(actor, self.parts, [], **self.arguments.bind(bound))
        self.made.shape.statement(paged.query.rows)
        compile_related(self.made.related, actor, bound)


def check_related(related: Sequence[Related[Any]], actor: Actor, bound: Bound) -> None:
    """Check the arguments of all fields that are related.

    Raises:
        DomainError: an argument breaks a rule.
    """
    for each in related:
        each.lookup.check(actor, bound)


def compile_related(related: Sequence[Related[Any]], actor: Actor, bound: Bound) -> None:
    """Compile the statements of all fields that are related.

    Raises:
        DomainError: an argument breaks a rule.
    """
    for each in related:
        each.lookup.compile(actor, bound)


def _find_row(project: Project, rows: dict[UUID | None, Row], found: Found, actor: Actor | None) -> Find:
    def find(identity: UUID | None) -> Any:
        row = rows.get(identity)
        return None if row is None else project(row, found, actor)

    return find
