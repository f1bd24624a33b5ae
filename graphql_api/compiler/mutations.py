"""Compiled mutations: the resolvers, called one after the other, and projections of their payloads."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from uuid import UUID

from graphql import FieldNode, located_error

from domain.actor import Actor
from domain.errors import Refusal, Unavailable
from graphql_api.compiler.arguments import Arguments
from graphql_api.compiler.code_generator import Project, Referred
from graphql_api.context import Context, FieldContext
from graphql_api.loaders import Ask
from graphql_api.resolvers.user_errors import RefusalAsData
from persistence.queries.reader import Row, Shape

Resolve = Callable[..., Awaitable[Any]]

_NOTHING: Final[Mapping[UUID, Row]] = {}


@dataclass(frozen=True, slots=True)
class FieldResult:
    """The value of a root field, and its errors."""

    value: Any
    errors: tuple[Exception, ...] = ()


@dataclass(frozen=True, slots=True)
class MutationStep:
    """One root field of a mutation. It is never run again, whatever fails in it."""

    key: str
    nodes: tuple[FieldNode, ...]
    resolve: Resolve
    viewer: Callable[[Any], Actor | None] | None
    refusals: RefusalAsData
    arguments: Arguments
    references: tuple[Referred, ...]
    shapes: Mapping[Ask, Shape]
    project: Project

    async def run(
        self, context: Context, actor: Actor | None, arguments: Mapping[str, Any], extensions: Mapping[str, Any]
    ) -> FieldResult:
        """The payload, or null and the error."""
        field = FieldContext(context, self.key, extensions)
        try:
            payload = await self.resolve(None, field, **arguments)
        except Refusal as refusal:
            payload = self.refusals.payload_of(refusal)
        except Exception as error:
            return FieldResult(None, (located_error(error, list(self.nodes), [self.key]),))
        return await self._project(context, actor if self.viewer is None else self.viewer(payload), payload)

    async def _project(self, context: Context, viewer: Actor | None, payload: Any) -> FieldResult:
        if not self.references:
            return FieldResult(self.project(payload, _nothing, viewer))
        wanted: list[_Wanted] = []
        self.project(payload, lambda *found: _note(wanted, *found), viewer)
        errors: tuple[Exception, ...] = ()
        try:
            found = await self._find(context, viewer, wanted)
        except Unavailable as error:
            # The change is made and is reported; the rows it refers to are missing.
            found = _NOTHING
            errors = tuple(self._located(error, each) for each in wanted)
        return FieldResult(self.project(payload, lambda _, identity, __: found.get(identity), viewer), errors)

    def _located(self, error: Unavailable, wanted: "_Wanted") -> Exception:
        place = self.references[wanted.number]
        return located_error(error, list(place.nodes), place.path_at(wanted.indexes))

    async def _find(self, context: Context, viewer: Actor | None, wanted: Sequence["_Wanted"]) -> Mapping[UUID, Row]:
        if not wanted:
            return _NOTHING
        ids: dict[Ask, set[UUID]] = {}
        for each in wanted:
            ids.setdefault(self.references[each.number].ask, set()).add(each.identity)
        found: dict[UUID, Row] = {}
        async with context.reading() as reading:
            for ask, wanted_ids in ids.items():
                asked = ask(viewer, list(wanted_ids))
                found |= {row[0]: row for row in await reading.rows(self.shapes[ask], asked.rows, asked.values)}
        return found


class _Wanted(NamedTuple):
    """An object that the payload refers to: the number of the reference, its id, and the indexes of lists."""

    number: int
    identity: UUID
    indexes: tuple[int, ...]


def _nothing(number: int, identity: UUID | None, indexes: tuple[int, ...]) -> None:
    return None


def _note(wanted: list[_Wanted], number: int, identity: UUID | None, indexes: tuple[int, ...]) -> None:
    if identity is not None:
        wanted.append(_Wanted(number, identity, indexes))
