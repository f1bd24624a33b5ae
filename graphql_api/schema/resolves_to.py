"""What a field stands for, so that an operation can be compiled: declared once, beside the field.

A field without a resolver stands for the column of its own name and declares nothing. A field that declares nothing
else, and has a resolver, is left to the general executor, and with it the whole operation.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from graphql import GraphQLField
from strawberry.schema.schema_converter import GraphQLCoreConverter

from domain.actor import Actor
from persistence.pagination import PageRequest
from persistence.queries.query import Query

_KEY: Final = "stands_for"


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


@dataclass(frozen=True, slots=True)
class One:
    """One row, or null: `ask` of the actor and the field's arguments, by their names."""

    ask: Callable[..., Query]


@dataclass(frozen=True, slots=True)
class Many:
    """All rows that are found: `ask` as of one."""

    ask: Callable[..., Query]


@dataclass(frozen=True, slots=True)
class Paged:
    """A page as it is asked for; each row ends in the request's facts, the value it is sorted by, and its id.

    `cursor` writes these two down.
    """

    asked: Query
    request: PageRequest
    cursor: Callable[[Any, Any], str]


@dataclass(frozen=True, slots=True)
class Connection:
    """A page of rows: `ask` of the actor, the parts of the page that are selected, and the field's arguments."""

    ask: Callable[..., Paged]


@dataclass(frozen=True, slots=True)
class Pages:
    """A page for each of some rows: `ask` of the actor, the parts that are selected, the ids, and the arguments.

    Each row that is found ends in the facts, the value it is sorted by, and the id of the row whose page it is on.
    Facts of an empty page stand in a row without a value.
    """

    ask: Callable[..., Paged]


@dataclass(frozen=True, slots=True)
class AnyNode:
    """An object of any of some types, by its id: `ask` of the actor and ids, by the type's name."""

    ask: "dict[str, Callable[[Actor, list[Any]], Query]]"


@dataclass(frozen=True, slots=True)
class Change:
    """A mutation whose resolver is called as it is, and whose payload is projected instead of executed.

    What the payload's fields refer to is read after the change, and in nobody's name: users are for all to see.

    `viewer` says through whose eyes the payload is seen, where that is not whoever asked.
    """

    viewer: Callable[[Any], Actor | None] | None = None


ResolvesTo = Identity | Expression | Reference | One | Many | Connection | Pages | AnyNode | Change
MeaningT = TypeVar("MeaningT", bound=ResolvesTo)


def resolves_to(what: ResolvesTo) -> dict[Any, Any]:
    """Metadata of a field: `strawberry.field(metadata=stands_for(…))`."""
    return {_KEY: what}


def meaning_of(field: GraphQLField) -> ResolvesTo | None:
    """What a field declares."""
    definition = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    found: ResolvesTo | None = definition.metadata.get(_KEY) if definition is not None else None
    return found
