"""Projections: Python functions made for one selection, from rows to the `data` of a response.

The source of a function contains only text of this module. Response names, which clients choose, and all other
constants are passed to it by reference, under numbered names.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol

from graphql import (
    FieldNode,
    GraphQLEnumType,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    get_named_type,
)
from strawberry.schema.schema_converter import GraphQLCoreConverter

from graphql_api.compiler.fallback import NotCompilable
from graphql_api.compiler.related import Project
from graphql_api.compiler.selections import Selected, Selections
from graphql_api.schema.ids import encoder_of
from graphql_api.schema.resolves_to import Expression, OpaqueId, Pages, Reference, meaning_of

_DEFINITION: Final = GraphQLCoreConverter.DEFINITION_BACKREF
_PLAIN: Final = {"String", "Int", "Boolean", "DateTime", "ID"}
"""Scalars whose values are written as they are: orjson knows instants, too."""


@dataclass(frozen=True, slots=True)
class Index:
    """The place of an index in a path; `variable` holds it."""

    variable: str


Path = tuple[str | Index, ...]
"""A path in the response."""


class Place(NamedTuple):
    """Where the value of a field is among the related values of a function: the numbers of a lookup and of a field."""

    lookup: int
    field: int


class LookupPlanner(Protocol):
    """The fields of a function whose values are read after its rows. *place* is where the id is that a field needs."""

    def page(self, known: GraphQLField, meaning: Pages, selected: Sequence[Selected], place: Any) -> Place:
        """Add a page for each object."""

    def row(self, kind: GraphQLObjectType, meaning: Reference, selected: Sequence[Selected], place: Any) -> Place:
        """Add a row that each object refers to."""


class Source(Protocol):
    """Where the values of an object are, as expressions."""

    def attribute(self, name: str) -> str:
        """The value of a field without a resolver."""

    def column(self, name: str) -> str:
        """A column of the row behind the object."""

    def place(self, column: str, field: "SelectedField") -> Any:
        """Where a column has the id that a field needs."""

    def related(self, place: Place, column: str, indexes: Sequence[Index]) -> str:
        """The related value for the id in a column, inside of lists with these indexes."""


class SelectedField(NamedTuple):
    """A field of an object: its name in the response, its type, and where it is selected."""

    key: str
    kind: Any
    selected: Sequence[Selected]


@dataclass(frozen=True, slots=True)
class RowSource:
    """A row, each of its columns at a place of its own; columns are added to the list as they are needed."""

    columns: list[str]
    prefix: str = ""
    variable: str = "row"

    def attribute(self, name: str) -> str:
        """The column of that name."""
        return self.column(name)

    def column(self, name: str) -> str:
        """The column of that name."""
        whole = self.prefix + name
        if whole not in self.columns:
            self.columns.append(whole)
        return f"{self.variable}[{self.columns.index(whole)}]"

    def joined(self, name: str) -> "RowSource | None":
        """The part of the row that belongs to the row it refers to. A joined row has no such part."""
        return None if self.prefix else RowSource(self.columns, f"{name}.", self.variable)

    def place(self, column: str, field: SelectedField) -> int:
        """The index of the column."""
        self.column(column)
        return self.columns.index(self.prefix + column)

    def related(self, place: Place, column: str, indexes: Sequence[Index]) -> str:
        """The lists are inside of the response, and not between the row and the field."""
        return f"related[{place.lookup}][{place.field}]({self.column(column)})"


@dataclass(frozen=True, slots=True)
class ObjectSource:
    """An object of the schema's Python type, at `path` in the response; at `null_at` elements of it, null is allowed.

    What is related to it is found by `related`: a function of the place, an id, and the indexes of the lists in which
    the object is.
    """

    variable: str
    path: Path
    null_at: int

    def attribute(self, name: str) -> str:
        """The attribute of that name."""
        return f"{self.variable}.{name}"

    def column(self, name: str) -> str:
        """An attribute of the row that the object was made of."""
        return f"{self.variable}.row.{name}"

    def place(self, column: str, field: SelectedField) -> "PlaceInPayload":
        """Where the field is in the response."""
        nodes = tuple(each.node for each in field.selected)
        return PlaceInPayload((*self.path, field.key), self._null_at(field.kind), nodes)

    def related(self, place: Place, column: str, indexes: Sequence[Index]) -> str:
        """A call with the indexes of all lists around the object."""
        around = "".join(f"{each.variable}, " for each in indexes)
        return f"related({place.lookup}, {place.field}, {self.column(column)}, ({around}))"

    def inner(self, variable: str, field: SelectedField, indexes: Sequence[Index]) -> "ObjectSource":
        """An object that is the value of a field, or an item of it at these indexes."""
        return ObjectSource(variable, (*self.path, field.key, *indexes), self._null_at(field.kind))

    def _null_at(self, kind: Any) -> int:
        """The length of the path to the last value that may be null, down to a field of this type and its items."""
        length, found = len(self.path) + 1, self.null_at
        while True:
            if isinstance(kind, GraphQLNonNull):
                kind = kind.of_type
            else:
                found = length
            if not isinstance(kind, GraphQLList):
                return found
            kind, length = kind.of_type, length + 1


@dataclass(frozen=True, slots=True)
class PlaceInPayload:
    """Where a related field is in the response and in the document; `null_at` is as that of `ObjectSource`."""

    path: Path
    null_at: int
    nodes: tuple[FieldNode, ...]

    def path_at(self, indexes: Sequence[int]) -> list[str | int]:
        """The path with the indexes of the lists on it."""
        remaining = iter(indexes)
        return [next(remaining) if isinstance(each, Index) else each for each in self.path]


@dataclass(slots=True)
class Names:
    """Constants of a function, and the names that they have in its source."""

    values: dict[str, Any] = field(default_factory=dict)

    def of(self, value: Any) -> str:
        """The name of a constant."""
        name = f"c{len(self.values)}"
        self.values[name] = value
        return name

    def function(self, parameters: str, expression: str) -> Project:
        """The function that returns an expression."""
        source = f"def project({parameters}):\n    return {expression}\n"
        namespace = dict(self.values)
        exec(compile(source, "<projection>", "exec"), namespace)  # noqa: S102 - only text of this module, see above
        made: Project = namespace["project"]
        made.__doc__ = source  # for debugging
        return made


class Writer:
    """Writes expressions for the objects of one function. Fields that are read later are added to *related*."""

    def __init__(self, selections: Selections, related: LookupPlanner) -> None:
        self._selections = selections
        self._related = related
        self._lists = 0
        self._indexes: list[Index] = []
        """The indexes of the lists around what is being written."""
        self.names = Names()

    def object(self, kind: GraphQLObjectType, selected: Sequence[Selected], source: Source) -> str:
        """A dict of what is selected of an object."""
        entries = [
            f"{self.names.of(key)}: {self._value(kind, key, each, source)}"
            for key, each in self._selections.below(kind, selected).items()
        ]
        return "{" + ", ".join(entries) + "}"

    def _value(self, kind: GraphQLObjectType, key: str, selected: Sequence[Selected], source: Source) -> str:
        node = selected[0].node
        if node.name.value == "__typename":
            return self.names.of(kind.name)
        known = kind.fields[node.name.value]
        meaning, field = meaning_of(known), SelectedField(key, known.type, selected)
        if isinstance(meaning, Pages):
            place = self._related.page(known, meaning, selected, source.place("id", field))
            return source.related(place, "id", self._indexes)
        if known.args:
            raise NotCompilable(f"{kind}.{node.name.value} with arguments")
        if meaning is None:
            return self._attribute(kind, field, source)
        if isinstance(meaning, OpaqueId):
            return f"{self.names.of(encoder_of(kind.name))}({source.column('id')})"
        if isinstance(meaning, Expression):
            columns = ", ".join(source.column(name) for name in meaning.columns)
            return self._leaf(known.type, f"{self.names.of(meaning.compute)}(actor, {columns})")
        if isinstance(meaning, Reference):
            return self._reference(meaning, field, source)
        raise NotCompilable(f"{kind}.{node.name.value}")

    def _attribute(self, kind: GraphQLObjectType, field: SelectedField, source: Source) -> str:
        definition = kind.fields[field.selected[0].node.name.value].extensions[_DEFINITION]
        if not definition.is_basic_field:
            raise NotCompilable(f"{kind}.{definition.python_name}")
        value, inner = source.attribute(definition.python_name), get_named_type(field.kind)
        if not isinstance(inner, GraphQLObjectType):
            return self._leaf(field.kind, value)
        if not isinstance(source, ObjectSource):
            raise NotCompilable(f"{kind}.{definition.python_name}, an object without a row")
        around = len(self._indexes)

        def write(each: str) -> str:
            return self.object(inner, field.selected, source.inner(each, field, self._indexes[around:]))

        return self._within(field.kind, value, write)

    def _reference(self, meaning: Reference, field: SelectedField, source: Source) -> str:
        kind: Any = get_named_type(field.kind)
        joined = source.joined(meaning.name) if isinstance(source, RowSource) else None
        if joined is not None:
            return f"(None if {joined.column('id')} is None else {self.object(kind, field.selected, joined)})"
        place = self._related.row(kind, meaning, field.selected, source.place(meaning.column, field))
        return source.related(place, meaning.column, self._indexes)

    def _leaf(self, kind: Any, value: str) -> str:
        return self._within(kind, value, lambda each: self._scalar(get_named_type(kind), each))

    def _within(self, kind: Any, value: str, write: Callable[[str], str]) -> str:
        """*write* applied to what a value is or, if it is a list, to what it holds; null stays null."""
        nullable = not isinstance(kind, GraphQLNonNull)
        bare = kind if nullable else kind.of_type
        if isinstance(bare, GraphQLList):
            self._lists += 1
            item, index = f"item{self._lists}", f"index{self._lists}"
            self._indexes.append(Index(index))
            written = f"[{self._within(bare.of_type, item, write)} for {index}, {item} in enumerate({value})]"
            self._indexes.pop()
        else:
            written = write(value)
        # What is written as it is may be null as it is.
        return f"(None if {value} is None else {written})" if nullable and written != value else written

    def _scalar(self, kind: Any, value: str) -> str:
        if isinstance(kind, GraphQLEnumType):
            return f"{self.names.of(_names_of(kind))}[{value}]"
        if isinstance(kind, GraphQLScalarType) and kind.name in _PLAIN:
            return value
        raise NotCompilable(f"the type {kind}")


def _names_of(kind: GraphQLEnumType) -> Mapping[Any, str]:
    """The names of an enum's values: of its members, and of what is stored for them, which is equal to them."""
    return {value.value: name for name, value in kind.values.items()}
