"""Resolvers of queries for the general executor, derived from what the fields resolve to."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final
from uuid import UUID

import strawberry

from domain.errors import BadRequest
from graphql_api.context import FieldContext
from graphql_api.schema.common import Id, Node
from graphql_api.schema.fields import with_signature
from graphql_api.schema.ids import decode_id
from graphql_api.schema.resolves_to import AnyNode, Connection, Many, One
from persistence.pagination import MAX_FIRST, Part
from services.reading import read_page, read_rows

Ids = Annotated[list[strawberry.ID], strawberry.argument(description=f"The ids, at most {MAX_FIRST}.")]
Resolver = Callable[..., Any]
Decoded = tuple[str, UUID]


def resolver_of(meaning: One | Many | Connection | AnyNode) -> Resolver:
    """The resolver of a field; its arguments are those of `ask`."""
    return _DERIVED[type(meaning)](meaning)


def _one(meaning: One) -> Resolver:
    async def resolve(self: Any, field: FieldContext, **arguments: Any) -> Any:
        asked = meaning.ask(field.context.actor, **arguments)
        rows = await read_rows(field.context.unit_of_work(), meaning.kind.model, asked)
        return meaning.kind.of(rows[0]) if rows else None

    return with_signature(resolve, _maybe(meaning.kind, nullable=meaning.nullable), meaning.ask)


def _many(meaning: Many) -> Resolver:
    async def resolve(self: Any, field: FieldContext, **arguments: Any) -> Any:
        asked = meaning.ask(field.context.actor, **arguments)
        rows = await read_rows(field.context.unit_of_work(), meaning.kind.model, asked)
        return [meaning.kind.of(row) for row in rows]

    kind: Any = meaning.kind
    return with_signature(resolve, list[kind], meaning.ask)


def _connection(meaning: Connection) -> Resolver:
    async def resolve(self: Any, field: FieldContext, parts: frozenset[Part], **arguments: Any) -> Any:
        paged = meaning.ask(field.context.actor, parts, **arguments)
        page = await read_page(field.context.unit_of_work(), meaning.kind.model, paged)
        return meaning.kind.of(page)

    return with_signature(resolve, _maybe(meaning.kind, nullable=meaning.nullable), meaning.ask)


def _any_node(meaning: AnyNode) -> Resolver:
    async def find(field: FieldContext, name: str, identity: UUID) -> Any:
        found = meaning.types.get(name)
        if found is None:
            return None
        row = await field.context.loaders.by_id(found.kind.model, found.ask).load(identity)
        return found.kind.of(row) if row is not None else None

    async def one(self: Any, field: FieldContext, id: Id) -> Node | None:
        node: Node | None = await find(field, *decode_id(id, field="id"))
        return node

    async def several(self: Any, field: FieldContext, ids: Ids) -> list[Node | None]:
        if len(ids) > MAX_FIRST:
            raise BadRequest(f"At most {MAX_FIRST} ids at a time, not {len(ids)}.")

        async def find_or_report(wanted: Decoded | BadRequest) -> Any:
            # graphql-core reports an error that is an entry of a list at the entry's place.
            return wanted if isinstance(wanted, BadRequest) else await find(field, *wanted)

        return list(await asyncio.gather(*(find_or_report(_decoded(*each)) for each in enumerate(ids))))

    return several if meaning.many else one


def _decoded(place: int, text: str) -> Decoded | BadRequest:
    try:
        return decode_id(text, field=f"ids[{place}]")
    except BadRequest as error:
        return error


def _maybe(kind: Any, *, nullable: bool) -> Any:
    return kind | None if nullable else kind


_DERIVED: Final[Mapping[type, Callable[[Any], Resolver]]] = {
    One: _one,
    Many: _many,
    Connection: _connection,
    AnyNode: _any_node,
}
