"""Projections: Python functions made for one selection, from rows to the `data` of a response.

The source of a function contains only text of this module. Response names, which clients choose, and all other
constants are passed to it by reference, under numbered names.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

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
from graphql_api.compiler.selections import Selected, Selections
from graphql_api.loaders import Ask
from graphql_api.schema.ids import encoder_of
from graphql_api.schema.resolves_to import Expression, OpaqueId, Pages, Reference, meaning_of

Project = Callable[..., Any]
WritePages = Callable[[GraphQLField, Pages, Sequence[Selected], int], int]

_DEFINITION: Final = GraphQLCoreConverter.DEFINITION_BACKREF
_PLAIN: Final = {"String", "Int", "Boolean", "DateTime", "ID"}
"""Scalars whose values are written as they are: orjson knows instants, too."""


@dataclass(frozen=True, slots=True)
class Index:
    """The place of an index in a path; `variable` holds it."""

    variable: str


Path = tuple[str | Index, ...]
"""A path in the response."""


class Source(Protocol):
    """Where the values of an object are, as expressions."""

    def attribute(self, name: str) -> str:
        """The value of a field without a resolver."""

    def column(self, name: str) -> str:
        """A column of the row behind the object."""


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

    def referred(self, name: str) -> "RowSource":
        """The part of the row that belongs to the row it refers to."""
        if self.prefix:
            raise NotCompilable("a reference of a reference")
        return RowSource(self.columns, f"{name}.", self.variable)


@dataclass(frozen=True, slots=True)
class ObjectSource:
    """An object of the schema's Python type, at `path` in the response.

    What it refers to is found by `referred`, a function of the reference's number, an id, and the indexes of the lists
    in which the object is. The rows of each query have the columns of its source in `rows`.
    """

    variable: str
    path: Path
    rows: dict[Ask, RowSource]
    references: list["Referred"]

    def attribute(self, name: str) -> str:
        """The attribute of that name."""
        return f"{self.variable}.{name}"

    def column(self, name: str) -> str:
        """An attribute of the row that the object was made of."""
        return f"{self.variable}.row.{name}"


@dataclass(frozen=True, slots=True)
class Referred:
    """Where an object refers to another: in the response and in the document. `ask` makes the query for the others."""

    path: Path
    nodes: tuple[FieldNode, ...]
    ask: Ask

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
    """Writes expressions for the objects of one function.

    *pages* is called for each field that is a page for each row, with the place of the row's id; it returns the
    place of those pages among `nested`.
    """

    def __init__(self, selections: Selections, pages: WritePages | None = None) -> None:
        self._selections = selections
        self._pages = pages
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
        meaning = meaning_of(known)
        if isinstance(meaning, Pages):
            return self._page(known, meaning, selected, source)
        if known.args:
            raise NotCompilable(f"{kind}.{node.name.value} with arguments")
        if meaning is None:
            return self._attribute(kind, key, selected, source)
        if isinstance(meaning, OpaqueId):
            return f"{self.names.of(encoder_of(kind.name))}({source.column('id')})"
        if isinstance(meaning, Expression):
            columns = ", ".join(source.column(name) for name in meaning.columns)
            return self._leaf(known.type, f"{self.names.of(meaning.compute)}(actor, {columns})")
        if isinstance(meaning, Reference):
            inner: Any = get_named_type(known.type)
            return self._reference(inner, key, meaning, selected, source)
        raise NotCompilable(f"{kind}.{node.name.value}")

    def _attribute(self, kind: GraphQLObjectType, key: str, selected: Sequence[Selected], source: Source) -> str:
        known = kind.fields[selected[0].node.name.value]
        definition = known.extensions[_DEFINITION]
        if not definition.is_basic_field:
            raise NotCompilable(f"{kind}.{definition.python_name}")
        value, inner = source.attribute(definition.python_name), get_named_type(known.type)
        if not isinstance(inner, GraphQLObjectType):
            return self._leaf(known.type, value)
        if not isinstance(source, ObjectSource):
            raise NotCompilable(f"{kind}.{definition.python_name}, an object without a row")
        around = len(self._indexes)

        def write(each: str) -> str:
            path = *source.path, key, *self._indexes[around:]
            return self.object(inner, selected, replace(source, path=path, variable=each))

        return self._within(known.type, value, write)

    def _reference(
        self, kind: GraphQLObjectType, key: str, meaning: Reference, selected: Sequence[Selected], source: Source
    ) -> str:
        if isinstance(source, RowSource):
            there = source.referred(meaning.name)
            return f"(None if {there.column('id')} is None else {self.object(kind, selected, there)})"
        if isinstance(source, ObjectSource):
            number = len(source.references)
            source.references.append(Referred((*source.path, key), tuple(each.node for each in selected), meaning.ask))
            row = source.rows.setdefault(meaning.ask, RowSource(["id"]))
            written = f"(None if row is None else {self.object(kind, selected, row)})"
            indexes = "".join(f"{each.variable}, " for each in self._indexes)
            return f"(lambda row: {written})(referred({number}, {source.column(meaning.column)}, ({indexes})))"
        raise NotCompilable(f"a reference of {source}")

    def _page(self, known: GraphQLField, meaning: Pages, selected: Sequence[Selected], source: Source) -> str:
        if self._pages is None or not isinstance(source, RowSource):
            raise NotCompilable("pages of what is no row")
        identity = source.column("id")
        number = self._pages(known, meaning, selected, source.columns.index(f"{source.prefix}id"))
        return f"nested[{number}]({identity})"

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
