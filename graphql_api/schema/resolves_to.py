"""Declares which data a field resolves to, once for both executors.

The declaration is metadata of the field. The resolvers of queries and of fields of objects are derived from it. A field
without a resolver needs no declaration: it resolves to the column of its name. If a field has a resolver and no
declaration, operations that select it are not compiled.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Annotated, Any, ClassVar, Final, Protocol, Self

import strawberry
from graphql import GraphQLField
from strawberry.schema.schema_converter import GraphQLCoreConverter

from domain.actor import Actor
from graphql_api.loaders import Ask, users_by_id
from persistence.pagination import Facts
from persistence.queries.query import Paged, Query

_KEY: Final = "resolves_to"


@dataclass(frozen=True, slots=True)
class OpaqueId:
    """The opaque id of the object: the name of its type and the `id` of its row."""


@dataclass(frozen=True, slots=True)
class Expression:
    """The result of `compute`. Its arguments are the actor and the values of `columns`, in this order."""

    compute: Callable[..., Any]
    columns: tuple[str, ...]


class OfRow(Protocol):
    """A GraphQL type whose objects are made from a row, or from a page of rows, of a model."""

    model: ClassVar[Any]

    @classmethod
    def of(cls, row: Any, /) -> Self:
        """The object."""


@dataclass(frozen=True, slots=True)
class LaterType:
    """A type of the schema that is defined after the fields that resolve to it: its name, and its module."""

    name: str
    module: str

    @property
    def annotation(self) -> Any:
        """The type as Strawberry resolves it."""
        return Annotated[self.name, strawberry.lazy(self.module)]

    @property
    def model(self) -> Any:
        """The model of its rows."""
        return self._type.model

    def of(self, row: Any, /) -> Any:
        """The object for a row, or for a page of rows."""
        return self._type.of(row)

    @property
    def _type(self) -> Any:
        return getattr(import_module(self.module), self.name)


def annotation_of(kind: "type[OfRow] | LaterType") -> Any:
    """The annotation for a type."""
    return kind.annotation if isinstance(kind, LaterType) else kind


@dataclass(frozen=True, slots=True)
class Reference:
    """The object that a foreign key points to, or null.

    `name` is the name of the reference in queries, and `column` is the column of the foreign key. `ask` makes the query
    where the object is not read with its row.
    """

    kind: type[OfRow] | LaterType
    name: str
    column: str
    ask: Ask = users_by_id


@dataclass(frozen=True, slots=True)
class One:
    """One object, or null. `ask` makes the query from the actor and the arguments of the field (by their names)."""

    kind: type[OfRow]
    ask: Callable[..., Query]
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class Many:
    """An object for each row that the query finds. `ask` has the same parameters as in `One`."""

    kind: type[OfRow]
    ask: Callable[..., Query]


@dataclass(frozen=True, slots=True)
class Connection:
    """A page of rows. `ask` makes its query from the actor, the selected parts, and the arguments of the field."""

    kind: type[OfRow]
    ask: Callable[..., Paged]
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class Pages:
    """One page for each of several parent rows.

    `ask` makes the query from the actor, the selected parts, the ids of the `parents`, and the arguments of the field.
    Each row ends with the facts of its page, the value that it is sorted by, and the id of its parent. The facts of an
    empty page are in a row without a value.
    """

    kind: type[OfRow] | LaterType
    ask: Callable[..., Paged]


@dataclass(frozen=True, slots=True)
class NodeType:
    """A type whose objects are found by id. `ask` makes the query from the actor and the ids."""

    kind: type[OfRow]
    ask: Ask


@dataclass(frozen=True, slots=True)
class AnyNode:
    """An object of one of several types, found by its id; with `many`, an object or null for each of several ids."""

    types: Mapping[str, NodeType]
    many: bool


class PageOfRows(Protocol):
    """A page as both executors read it, with the facts that were read beside its rows."""

    @property
    def has_next(self) -> bool:
        """Whether there are rows after the page."""

    @property
    def has_previous(self) -> bool:
        """Whether there are rows before the page."""

    @property
    def facts(self) -> Facts:
        """The facts."""

    def cursor_at(self, place: int, /) -> str | None:
        """The cursor of a row; None on an empty page."""


@dataclass(frozen=True, slots=True)
class OfPage:
    """The result of `compute` for the page of a connection and the actor."""

    compute: Callable[[PageOfRows, Actor], Any]


ViewerOf = Callable[[Any], Actor | None]
"""Returns the actor for whom a payload is projected."""


@dataclass(frozen=True, slots=True)
class Change:
    """A mutation. Both executors call `resolve`; the compiled executor projects its payload without graphql-core.

    Objects that the payload refers to are read after the change, as the viewer sees them.

    `viewer` returns the actor for whom the payload is projected. The default is the actor of the request.
    """

    resolve: Callable[..., Awaitable[Any]]
    viewer: ViewerOf | None = None


ResolvesTo = OpaqueId | Expression | Reference | One | Many | Connection | Pages | OfPage | AnyNode | Change


def resolves_to(what: ResolvesTo) -> dict[Any, Any]:
    """Metadata for a field: `strawberry.field(metadata=resolves_to(…))`."""
    return {_KEY: what}


def meaning_of(field: GraphQLField) -> ResolvesTo | None:
    """The declaration of a field, or None."""
    definition = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    found: ResolvesTo | None = definition.metadata.get(_KEY) if definition is not None else None
    return found
