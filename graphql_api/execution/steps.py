"""The steps of a plan: one for each field of the root, each a few reads and a projection."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from domain.actor import Actor
from domain.stream_cursor import StreamCursor
from graphql_api.execution.arguments import Arguments, Bound
from graphql_api.execution.deviation import Deviation
from graphql_api.execution.projection import Project
from graphql_api.schema.ids import decode_id
from graphql_api.schema.stands_for import Paged
from persistence.pages import MAX_FIRST
from persistence.reads.event import stream_head
from persistence.reads.read import Asked
from persistence.reads.reader import Reading, Row, Shape

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
    shape: Shape
    project: Project
    nullable: bool

    async def run(self, reading: Reading, actor: Actor, bound: Bound) -> Any:
        """One statement."""
        asked = self.ask(actor, **self.arguments.bind(bound))
        rows = await reading.rows(self.shape, asked.rows, asked.values)
        if rows:
            return self.project(rows[0], actor)
        if not self.nullable:
            raise Deviation
        return None


@dataclass(frozen=True, slots=True)
class ManyRows:
    """A list of objects."""

    ask: Ask
    arguments: Arguments
    shape: Shape
    project: Project

    async def run(self, reading: Reading, actor: Actor, bound: Bound) -> Any:
        """One statement."""
        asked = self.ask(actor, **self.arguments.bind(bound))
        return [self.project(row, actor) for row in await reading.rows(self.shape, asked.rows, asked.values)]


class Page:
    """What is known of a page beside its rows."""

    __slots__ = ("cursor", "has_next", "has_previous", "rows", "stream_cursor", "total")

    def __init__(self, rows: Sequence[Row], paged: Paged, total: int | None, stream_cursor: str | None) -> None:
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
class PageOfRows:
    """A connection; counted, and with its place in the stream, if that is selected."""

    ask: Callable[..., Paged]
    arguments: Arguments
    shape: Shape
    project: Project
    with_rows: bool
    with_total: bool
    with_stream_cursor: bool

    async def run(self, reading: Reading, actor: Actor, bound: Bound) -> Any:
        """The page's statement, behind that for the stream's place: what comes in between is told again."""
        paged = self.ask(actor, **self.arguments.bind(bound))
        stream_cursor = await _stream_cursor(reading, actor) if self.with_stream_cursor else None
        rows = await reading.rows(self.shape, paged.asked.rows, paged.asked.values) if self.with_rows else []
        total = await _number(reading, paged.total()) if self.with_total else None
        return self.project(Page(rows, paged, total, stream_cursor), actor)


@dataclass(frozen=True, slots=True)
class Kind:
    """How nodes of one type are read: their ids are at `place` of a row."""

    ask: Callable[[Actor, list[UUID]], Asked]
    shape: Shape
    place: int
    project: Project

    async def find(self, reading: Reading, actor: Actor, ids: list[UUID]) -> dict[UUID, Any]:
        """Those that there are, by id."""
        asked = self.ask(actor, ids)
        rows = await reading.rows(self.shape, asked.rows, asked.values)
        return {row[self.place]: self.project(row, actor) for row in rows}


@dataclass(frozen=True, slots=True)
class NodeStep:
    """Any object by its id, or several."""

    kinds: Mapping[str, Kind]
    arguments: Arguments

    async def run(self, reading: Reading, actor: Actor, bound: Bound) -> Any:
        """One statement for each type that is asked for."""
        arguments = self.arguments.bind(bound)
        if "id" in arguments:
            return (await self._find(reading, actor, [arguments["id"]]))[0]
        if len(arguments["ids"]) > MAX_FIRST:
            raise Deviation
        return await self._find(reading, actor, arguments["ids"])

    async def _find(self, reading: Reading, actor: Actor, texts: list[str]) -> list[Any]:
        wanted = [decode_id(text) for text in texts]
        found: dict[str, dict[UUID, Any]] = {}
        for name, kind in self.kinds.items():
            ids = list(dict.fromkeys(identity for named, identity in wanted if named == name))
            if ids:
                found[name] = await kind.find(reading, actor, ids)
        return [found.get(name, {}).get(identity) for name, identity in wanted]


async def _stream_cursor(reading: Reading, actor: Actor) -> str:
    asked = stream_head()
    (head,) = await reading.rows(_HEAD, asked.rows, asked.values)
    return StreamCursor(head[0], head[1], actor.access_version).encode()


async def _number(reading: Reading, asked: Asked) -> int:
    (row,) = await reading.rows(_NUMBER, asked.rows, asked.values)
    number: int = row[0]
    return number
