"""Compiled mutations: the resolvers, called one after the other, and projections of their payloads."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from graphql import FieldNode, located_error

from domain.actor import Actor
from domain.errors import Refusal, Unavailable
from graphql_api.compiler.arguments import Arguments, Bound
from graphql_api.compiler.code_generator import PlaceInPayload
from graphql_api.compiler.fallback import Fallback
from graphql_api.compiler.related import Find, PageLookup, Project, Related, check_related, compile_related
from graphql_api.context import Context, FieldContext
from graphql_api.resolvers.user_errors import RefusalAsData

Resolve = Callable[..., Awaitable[Any]]


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
    related: tuple[Related[PlaceInPayload], ...]
    project: Project

    def check(self, actor: Actor | None, bound: Bound) -> None:
        """Check the arguments of pages in the payload, before the change.

        Raises:
            DomainError: an argument breaks a rule.
            Fallback: it is not known for whom they are checked.
        """
        if not self.related:
            return
        if any(isinstance(each.lookup, PageLookup) for each in self.related) and (actor is None or self.viewer):
            raise Fallback
        if actor is not None:
            check_related(self.related, actor, bound)

    def compile(self, actor: Actor, bound: Bound) -> None:
        """Compile the statements that read what is related to the payload.

        Raises:
            DomainError: an argument breaks a rule.
        """
        compile_related(self.related, actor, bound)

    async def run(
        self,
        context: Context,
        actor: Actor | None,
        bound: Bound,
        arguments: Mapping[str, Any],
        extensions: Mapping[str, Any],
    ) -> FieldResult:
        """The payload, or null and the error."""
        field = FieldContext(context, self.key, extensions)
        try:
            payload = await self.resolve(None, field, **arguments)
        except Refusal as refusal:
            payload = self.refusals.payload_of(refusal)
        except Exception as error:
            return FieldResult(None, (located_error(error, list(self.nodes), [self.key]),))
        return await self._project(context, actor if self.viewer is None else self.viewer(payload), bound, payload)

    async def _project(self, context: Context, viewer: Actor | None, bound: Bound, payload: Any) -> FieldResult:
        if not self.related:
            return FieldResult(self.project(payload, None, viewer))
        wanted: list[_Wanted] = []
        without = self.project(payload, lambda *found: _note(wanted, *found), viewer)
        if not wanted:
            return FieldResult(without)
        try:
            found = await self._find(context, viewer, bound, wanted)
        except Unavailable as error:
            # The change is made and is reported; what is related to it is missing.
            return self._incomplete(without, error, wanted)
        return FieldResult(self.project(payload, lambda lookup, field, key, _: found[lookup][field](key), viewer))

    async def _find(
        self, context: Context, viewer: Actor | None, bound: Bound, wanted: Sequence["_Wanted"]
    ) -> Mapping[int, Sequence[Find]]:
        ids: dict[int, dict[UUID, None]] = {}
        for each in wanted:
            ids.setdefault(each.lookup, {})[each.identity] = None
        async with context.reading() as reading:
            return {
                number: await each.lookup.read(reading, viewer, bound, list(ids.get(number, ())))
                for number, each in enumerate(self.related)
            }

    def _incomplete(self, value: dict[str, Any], error: Unavailable, wanted: Sequence["_Wanted"]) -> FieldResult:
        """The payload without what is related to it: null, or if that is not allowed, what it belongs to is null."""
        root: dict[str, Any] = {self.key: value}
        nulls: set[tuple[str | int, ...]] = set()
        errors: list[Exception] = []
        for each in wanted:
            place = self.related[each.lookup].places[each.field]
            path = place.path_at(each.indexes)
            null = tuple(path[: place.null_at])
            if not any(null[:length] in nulls for length in range(1, len(null) + 1)):
                nulls.add(null)
                _set_to_null(root, null)
                errors.append(located_error(error, list(place.nodes), path))
        return FieldResult(root[self.key], tuple(errors))


class _Wanted(NamedTuple):
    """What a payload refers to: the numbers of the lookup and of its field, an id, and the indexes of lists."""

    lookup: int
    field: int
    identity: UUID
    indexes: tuple[int, ...]


def _note(wanted: list[_Wanted], lookup: int, field: int, identity: UUID | None, indexes: tuple[int, ...]) -> None:
    if identity is not None:
        wanted.append(_Wanted(lookup, field, identity, indexes))


def _set_to_null(value: Any, path: Sequence[str | int]) -> None:
    *before, last = path
    for each in before:
        value = value[each]
    value[last] = None
