"""The steps of a plan: one for each field of the root, each a few reads and a projection."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from domain.actor import Actor
from graphql_api.compiler.arguments import Arguments, Bound
from graphql_api.compiler.fallback import Fallback
from graphql_api.compiler.pages import page_of
from graphql_api.compiler.related import Projection, compile_related, read_related
from graphql_api.schema.ids import decode_id
from persistence.pagination import MAX_FIRST, Part
from persistence.queries.query import Paged, Query
from persistence.queries.reader import ReadConnection

Ask = Callable[..., Query]


class Step(Protocol):
    """One field of a query's root."""

    async def run(self, reading: ReadConnection, actor: Actor, bound: Bound) -> Any:
        """Its value.

        Raises:
            Fallback: the general executor has to report what is wrong.
            DomainError: an argument breaks a rule; the general executor reports it, too.
        """

    def compile(self, actor: Actor, bound: Bound) -> None:
        """Compile the statements that `run` sends for such an actor and such variables, without sending them.

        Raises:
            Fallback, DomainError: as `run` does.
        """


@dataclass(frozen=True, slots=True)
class OneRow:
    """An object, or null where that is allowed."""

    ask: Ask
    arguments: Arguments
    made: Projection
    nullable: bool

    async def run(self, reading: ReadConnection, actor: Actor, bound: Bound) -> Any:
        """One statement."""
        asked = self.ask(actor, **self.arguments.bind(bound))
        rows = await reading.rows(self.made.shape, asked.rows, asked.values)
        if rows:
            related = await read_related(self.made.related, reading, actor, bound, rows)
            return self.made.project(rows[0], related, actor)
        if not self.nullable:
            raise Fallback
        return None

    def compile(self, actor: Actor, bound: Bound) -> None:
        """One statement, and those that are related."""
        self.made.shape.statement(self.ask(actor, **self.arguments.bind(bound)).rows)
        compile_related(self.made.related, actor, bound)


@dataclass(frozen=True, slots=True)
class ManyRows:
    """A list of objects."""

    ask: Ask
    arguments: Arguments
    made: Projection

    async def run(self, reading: ReadConnection, actor: Actor, bound: Bound) -> Any:
        """One statement."""
        asked = self.ask(actor, **self.arguments.bind(bound))
        rows = await reading.rows(self.made.shape, asked.rows, asked.values)
        related = await read_related(self.made.related, reading, actor, bound, rows)
        return [self.made.project(row, related, actor) for row in rows]

    def compile(self, actor: Actor, bound: Bound) -> None:
        """One statement, and those that are related."""
        self.made.shape.statement(self.ask(actor, **self.arguments.bind(bound)).rows)
        compile_related(self.made.related, actor, bound)


@dataclass(frozen=True, slots=True)
class PageOfRows:
    """A connection: the parts of it that are selected."""

    ask: Callable[..., Paged]
    arguments: Arguments
    made: Projection
    parts: frozenset[Part]

    async def run(self, reading: ReadConnection, actor: Actor, bound: Bound) -> Any:
        """One statement, so that all parts are of one snapshot."""
        paged = self.ask(actor, self.parts, **self.arguments.bind(bound))
        rows = await reading.rows(self.made.shape, paged.query.rows, paged.query.values) if self.parts else []
        page = page_of(rows, paged, key=-1)
        related = await read_related(self.made.related, reading, actor, bound, page.rows)
        return self.made.project(page, related, actor)

    def compile(self, actor: Actor, bound: Bound) -> None:
        """One statement, and those that are related."""
        paged = self.ask(actor, self.parts, **self.arguments.bind(bound))
        if self.parts:
            self.made.shape.statement(paged.query.rows)
        compile_related(self.made.related, actor, bound)


@dataclass(frozen=True, slots=True)
class Kind:
    """How nodes of one type are read: each row begins with its id."""

    ask: Callable[[Actor, list[UUID]], Query]
    made: Projection

    async def find(self, reading: ReadConnection, actor: Actor, bound: Bound, ids: list[UUID]) -> dict[UUID, Any]:
        """Those that there are, by id."""
        asked = self.ask(actor, ids)
        rows = await reading.rows(self.made.shape, asked.rows, asked.values)
        related = await read_related(self.made.related, reading, actor, bound, rows)
        return {row[0]: self.made.project(row, related, actor) for row in rows}


@dataclass(frozen=True, slots=True)
class NodeStep:
    """Any object by its id, or several."""

    kinds: Mapping[str, Kind]
    arguments: Arguments

    async def run(self, reading: ReadConnection, actor: Actor, bound: Bound) -> Any:
        """One statement for each type that is asked for."""
        arguments = self.arguments.bind(bound)
        if "id" in arguments:
            return (await self._find(reading, actor, bound, [arguments["id"]]))[0]
        if len(arguments["ids"]) > MAX_FIRST:
            raise Fallback
        return await self._find(reading, actor, bound, arguments["ids"])

    def compile(self, actor: Actor, bound: Bound) -> None:
        """The statements of all types."""
        for kind in self.kinds.values():
            kind.made.shape.statement(kind.ask(actor, []).rows)
            compile_related(kind.made.related, actor, bound)

    async def _find(self, reading: ReadConnection, actor: Actor, bound: Bound, texts: list[str]) -> list[Any]:
        wanted = [decode_id(text, field="id") for text in texts]
        found: dict[str, dict[UUID, Any]] = {}
        for name, kind in self.kinds.items():
            ids = list(dict.fromkeys(identity for named, identity in wanted if named == name))
            if ids:
                found[name] = await kind.find(reading, actor, bound, ids)
        return [found.get(name, {}).get(identity) for name, identity in wanted]
