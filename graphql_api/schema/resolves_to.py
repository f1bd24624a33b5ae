"""What a field resolves to: declared once, beside the field, for both executors.

The resolvers of queries are derived from it. A field without a resolver resolves to the column of its own name and
declares nothing. An operation with a field that has a resolver and declares nothing is not compiled.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Protocol, Self
from uuid import UUID

from graphql import GraphQLField
from strawberry.schema.schema_converter import GraphQLCoreConverter

from domain.actor import Actor
from persistence.queries.query import Paged, Query

_KEY: Final = "resolves_to"


@dataclass(frozen=True, slots=True)
class Identity:
    """The object's opaque id, made of its type's name and its row's `id`."""


@dataclass(frozen=True, slots=True)
class Expression:
    """`compute` of the actor and the values of `columns`, in this order."""

    compute: Callable[..., Any]
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """The row that a row refers to under a name, or null."""

    name: str


class OfRow(Protocol):
    """A type of the schema that is made of a row, or of a page of rows, of a model."""

    model: ClassVar[Any]

    @classmethod
    def of(cls, row: Any, /) -> Self:
        """The object."""


@dataclass(frozen=True, slots=True)
class One:
    """One object, or null: `ask` of the actor and the field's arguments, by their names."""

    kind: type[OfRow]
    ask: Callable[..., Query]
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class Many:
    """An object for each row that is found: `ask` as of one."""

    kind: type[OfRow]
    ask: Callable[..., Query]


@dataclass(frozen=True, slots=True)
class Connection:
    """A page of rows: `ask` of the actor, the parts of the page that are selected, and the field's arguments."""

    kind: type[OfRow]
    ask: Callable[..., Paged]
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class Pages:
    """A page for each of some rows: `ask` of the actor, the parts that are selected, the ids, and the arguments.

    Each row that is found ends in the facts, the value it is sorted by, and the id of the row whose page it is on.
    Facts of an empty page stand in a row without a value.
    """

    ask: Callable[..., Paged]


@dataclass(frozen=True, slots=True)
class NodeType:
    """A type whose objects are found by id: `ask` of the actor and ids."""

    kind: type[OfRow]
    ask: Callable[[Actor | None, list[UUID]], Query]


@dataclass(frozen=True, slots=True)
class AnyNode:
    """An object of any of some types by its id, or an object or null for each of several ids."""

    types: Mapping[str, NodeType]
    many: bool


ViewerOf = Callable[[Any], Actor | None]
"""The actor in whose name a payload is seen."""


@dataclass(frozen=True, slots=True)
class Change:
    """A mutation: `resolve` is called by both executors, and the compiled one projects its payload.

    What the payload's fields refer to is read after the change, without an actor: users are visible to everybody.

    Without `viewer` the payload is seen in the name of the actor who sent the request.
    """

    resolve: Callable[..., Awaitable[Any]]
    viewer: ViewerOf | None = None


ResolvesTo = Identity | Expression | Reference | One | Many | Connection | Pages | AnyNode | Change


def resolves_to(what: ResolvesTo) -> dict[Any, Any]:
    """Metadata of a field: `strawberry.field(metadata=resolves_to(…))`."""
    return {_KEY: what}


def meaning_of(field: GraphQLField) -> ResolvesTo | None:
    """What a field declares."""
    definition = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    found: ResolvesTo | None = definition.metadata.get(_KEY) if definition is not None else None
    return found
