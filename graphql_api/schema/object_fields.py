"""Objects that are made from rows, and their fields, whose resolvers are derived from what they resolve to."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Optional, Self

import strawberry
from strawberry.types.base import get_object_definition

from domain.actor import Actor
from graphql_api.context import FieldContext
from graphql_api.schema.fields import resolver, with_signature
from graphql_api.schema.ids import encode_id
from graphql_api.schema.resolves_to import Expression, OfPage, OpaqueId, Pages, Reference, annotation_of, resolves_to
from persistence.pagination import Part
from services.reading import read_page

Resolver = Callable[..., Any]


@dataclass(kw_only=True, eq=False)
class RowObject:
    """An object that is made from a row: its fields without a resolver are the columns of the same names.

    `viewer` is the user who sees the object, if it is not the actor of the request.
    """

    row: strawberry.Private[Any]
    viewer: strawberry.Private[Actor | None] = None

    @classmethod
    def of(cls, row: Any, /, *, viewer: Actor | None = None) -> Self:
        """Convert a row."""
        return cls(row=row, viewer=viewer, **{name: getattr(row, name) for name in cls._columns()})

    @classmethod
    @cache
    def _columns(cls) -> tuple[str, ...]:
        definition = get_object_definition(cls, strict=True)
        return tuple(field.python_name for field in definition.fields if field.is_basic_field)


def object_field(
    viewer: Mapping[Any, Any], description: str, meaning: OpaqueId | Expression | Reference | Pages | OfPage
) -> Any:
    """A field of an object, with the resolver that is derived from what it resolves to.

    *viewer* declares how the value depends on the viewer (`viewer.py`).
    """
    return strawberry.field(
        resolver=_DERIVED[type(meaning)](meaning), description=description, metadata={**viewer, **resolves_to(meaning)}
    )


def _identity(_: OpaqueId) -> Resolver:
    def resolve(self: Any) -> strawberry.ID:
        return encode_id(get_object_definition(type(self), strict=True).name, self.row.id)

    return resolve


def _expression(meaning: Expression) -> Resolver:
    def resolve(self: Any, field: FieldContext) -> Any:
        columns = [getattr(self.row, name) for name in meaning.columns]
        return meaning.compute(self.viewer or field.context.actor, *columns)

    return resolver(with_signature(resolve, _result(meaning.compute)))


def _reference(meaning: Reference) -> Resolver:
    async def resolve(self: Any, field: FieldContext) -> Any:
        key = getattr(self.row, meaning.column)
        if key is None:
            return None
        row = await field.context.loaders.referred(meaning.kind.model, meaning.ask, key, self.row)
        return meaning.kind.of(row) if row is not None else None

    return resolver(with_signature(resolve, Optional[annotation_of(meaning.kind)]))  # noqa: UP045 - it may be lazy


def _pages(meaning: Pages) -> Resolver:
    async def resolve(self: Any, field: FieldContext, parts: frozenset[Part], **arguments: Any) -> Any:
        paged = meaning.ask(field.context.actor, parts, [self.row.id], **arguments)
        return meaning.kind.of(await read_page(field.context.unit_of_work(), meaning.kind.model, paged))

    return resolver(with_signature(resolve, annotation_of(meaning.kind), meaning.ask))


def _of_page(meaning: OfPage) -> Resolver:
    def resolve(self: Any, field: FieldContext) -> Any:
        return meaning.compute(self.page, field.context.actor)

    return resolver(with_signature(resolve, _result(meaning.compute)))


def _result(function: Callable[..., Any]) -> Any:
    return inspect.signature(function).return_annotation


_DERIVED: Final[Mapping[type, Callable[[Any], Resolver]]] = {
    OpaqueId: _identity,
    Expression: _expression,
    Reference: _reference,
    Pages: _pages,
    OfPage: _of_page,
}
