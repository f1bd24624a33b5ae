"""Compiled mutations: the resolvers as they are, called one after the other, and projections of their payloads."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Final, Protocol
from uuid import UUID

from graphql import FieldNode, located_error
from graphql.pyutils import Path

from asgi.request_context import RequestContext
from domain.actor import Actor
from domain.errors import Refusal, Unavailable
from graphql_api.compiler.arguments import Arguments
from graphql_api.compiler.code_generator import Project, Referred
from graphql_api.resolvers.fields import RefusalAsData
from persistence.queries.reader import ReadConnection, Row, Shape
from persistence.queries.user import users

Resolve = Callable[..., Awaitable[Any]]

_NOBODY: Final[Mapping[UUID, Row]] = {}


class Context(Protocol):
    """What plans want of a context."""

    @property
    def facts(self) -> RequestContext:
        """Who asks."""

    def reading(self) -> AbstractAsyncContextManager[ReadConnection]:
        """A connection for reads."""


@dataclass(frozen=True, slots=True)
class RequestInfo:
    """What a resolver is told about its field: as much of Strawberry's `Info` as ours use."""

    context: Context
    path: Path
    input_extensions: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DomainResult:
    """What a field of the root answers, and what went wrong in it."""

    value: Any
    errors: tuple[Exception, ...] = ()


@dataclass(frozen=True, slots=True)
class MutationStep:
    """One field of a mutation's root. Whatever happens in it, it is never run again."""

    key: str
    nodes: tuple[FieldNode, ...]
    resolve: Resolve
    viewer: Callable[[Any], Actor | None] | None
    refusals: RefusalAsData
    arguments: Arguments
    references: tuple[Referred, ...]
    user: Shape
    project: Project

    async def run(
        self, context: Context, actor: Actor | None, arguments: Mapping[str, Any], extensions: Mapping[str, Any]
    ) -> DomainResult:
        """The payload, or null and why there is none."""
        asking = RequestInfo(context, Path(None, self.key, None), extensions)
        try:
            payload = await self.resolve(None, asking, **arguments)
        except Refusal as refusal:
            payload = self.refusals.told(refusal)
        except Exception as error:
            return DomainResult(None, (located_error(error, list(self.nodes), [self.key]),))
        return await self._told(context, actor if self.viewer is None else self.viewer(payload), payload)

    async def _told(self, context: Context, viewer: Actor | None, payload: Any) -> DomainResult:
        if not self.references:
            return DomainResult(self.project(payload, _nobody, viewer))
        wanted: dict[int, UUID] = {}
        self.project(payload, lambda number, identity: _note(wanted, number, identity), viewer)
        errors: tuple[Exception, ...] = ()
        try:
            found = await self._find(context, wanted)
        except Unavailable as error:
            # The change is made, and told; what it refers to is missing.
            found = _NOBODY
            places = [self.references[number] for number in wanted]
            errors = tuple(located_error(error, list(place.nodes), list(place.path)) for place in places)
        return DomainResult(self.project(payload, lambda number, identity: found.get(identity), viewer), errors)

    async def _find(self, context: Context, wanted: Mapping[int, UUID]) -> Mapping[UUID, Row]:
        if not wanted:
            return _NOBODY
        asked = users(set(wanted.values()))
        async with context.reading() as reading:
            rows = await reading.rows(self.user, asked.rows, asked.values)
        return {row[0]: row for row in rows}


def _nobody(number: int, identity: UUID | None) -> None:
    return None


def _note(wanted: dict[int, UUID], number: int, identity: UUID | None) -> None:
    if identity is not None:
        wanted[number] = identity
