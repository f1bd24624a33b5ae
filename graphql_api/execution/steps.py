"""The steps of a plan: one for each field of the root, each a few reads and a projection."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from domain.actor import Actor
from domain.stream_cursor import StreamCursor
from graphql_api.execution.arguments import Arguments, Bound
from graphql_api.execution.deviation import Deviation
from graphql_api.execution.pages import Page, Projection
from graphql_api.schema.ids import decode_id
from graphql_api.schema.stands_for import Paged
from persistence.pages import MAX_FIRST
from persistence.reads.event import stream_head
from persistence.reads.read import Asked
from persistence.reads.reader import Reading, Shape

Ask = Callable[..., Asked]

_HEAD = Shape(("epoch", "position"))
_NUMBER = Shape(())


class Step(Protocol):
    """One field of a query's root."""

    async def run(self, reading: Reading, actor: Actor, bound: Bound) -> Any:
        """Its value.

        Raises:
            Deviation: the general executor has to tell what is wrong.
            DomainError: so it has, too: an argument breaks a rule.
        """


@dataclass(frozen=True, slots=True)
class OneRow:
    """An object, or null where that is allowed."""

    ask: Ask
    arguments: Arguments
    made: Projection
    nullable: bool

    async def run(self, reading: Reading, actor: Actor, bound: Bound) -> Any:
        """One statement."""
        asked = self.ask(actor, **self.arguments.bind(bound))
        rows = await reading.rows(self.made.shape, asked.rows, asked.values)
        if rows:
            nested = await self.made.pages(reading, actor, bound, rows) if self.made.nested else ()
            return self.made.project(rows[0], nested, actor)
        if not self.nullable:
            raise Deviation
        return None


@dataclass(frozen=True, slots=True)
class ManyRows:
    """A list of objects."""

    ask: Ask
    arguments: Arguments
    made: Projection

    async def run(self, reading: Reading, actor: Actor, bound: Bound) -> Any:
        """One statement."""
        asked = self.ask(actor, **self.arguments.bind(bound))
        rows = await reading.rows(self.made.shape, asked.rows, asked.values)
        nested = await self.made.pages(reading, actor, bound, rows) if rows and self.made.nested else ()
        return [self.made.project(row, nested, actor) for row in rows]


@dataclass(frozen=True, slots=True)
class PageOfRows:
    """A connection; counted, and with its place in the stream, if that is selected."""

    ask: Callable[..., Paged]
    arguments: Arguments
    made: Projection
    with_rows: bool
    with_total: bool
    with_stream_cursor: bool

    async def run(self, reading: Reading, actor: Actor, bound: Bound) -> Any:
        """The page's statement, behind that for the stream's place: what comes in between is told again."""
        paged = self.ask(actor, **self.arguments.bind(bound))
        stream_cursor = await _stream_cursor(reading, actor) if self.with_stream_cursor else None
        rows = await reading.rows(self.made.shape, paged.asked.rows, paged.asked.values) if self.with_rows else []
        total = await _number(reading, paged.total()) if self.with_total and paged.total is not None else None
        page = Page(rows, paged, total=total, stream_cursor=stream_cursor)
        nested = await self.made.pages(reading, actor, bound, page.rows) if page.rows and self.made.nested else ()
        return self.made.project(page, nested, actor)


@dataclass(frozen=True, slots=True)
class Kind:
    """How nodes of one type are read: each row begins with its id."""

    ask: Callable[[Actor, list[UUID]], Asked]
    made: Projection

    async def find(self, reading: Reading, actor: Actor, bound: Bound, ids: list[UUID]) -> dict[UUID, Any]:
        """Those that there are, by id."""
        asked = self.ask(actor, ids)
        rows = await reading.rows(self.made.shape, asked.rows, asked.values)
        nested = await self.made.pages(reading, actor, bound, rows) if rows and self.made.nested else ()
        return {row[0]: self.made.project(row, nested, actor) for row in rows}


@dataclass(frozen=True, slots=True)
class NodeStep:
    """Any object by its id, or several."""

    kinds: Mapping[str, Kind]
    arguments: Arguments

    async def run(self, reading: Reading, actor: Actor, bound: Bound) -> Any:
        """One statement for each type that is asked for."""
        arguments = self.arguments.bind(bound)
        if "id" in arguments:
            return (await self._find(reading, actor, bound, [arguments["id"]]))[0]
        if len(arguments["ids"]) > MAX_FIRST:
            raise Deviation
        return await self._find(reading, actor, bound, arguments["ids"])

    async def _find(self, reading: Reading, actor: Actor, bound: Bound, texts: list[str]) -> list[Any]:
        wanted = [decode_id(text) for text in texts]
        found: dict[str, dict[UUID, Any]] = {}
        for name, kind in self.kinds.items():
            ids = list(dict.fromkeys(identity for named, identity in wanted if named == name))
            if ids:
                found[name] = await kind.find(reading, actor, bound, ids)
        return [found.get(name, {}).get(identity) for name, identity in wanted]


async def _stream_cursor(reading: Reading, actor: Actor) -> str:
    asked = stream_head()
    (head,) = await reading.rows(_HEAD, asked.rows, asked.values)
    return StreamCursor(head[0], head[1], actor.access_version).encode()


async def _number(reading: Reading, asked: Asked) -> int:
    (row,) = await reading.rows(_NUMBER, asked.rows, asked.values)
    number: int = row[0]
    return number
