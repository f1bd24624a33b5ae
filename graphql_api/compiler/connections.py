"""The projection of a connection: edges, nodes, and what is known of the page (Relay cursor connections)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from graphql import GraphQLObjectType, get_named_type

from graphql_api.compiler.code_generator import RowSource, Writer
from graphql_api.compiler.fallback import NotCompilable
from graphql_api.compiler.related import Project
from graphql_api.compiler.selections import Selected, Selections
from graphql_api.schema.fields import PARTS
from graphql_api.schema.resolves_to import OfPage, meaning_of
from persistence.pagination import Part

_CURSOR: Final = "page.cursor(row[-2], row[-1])"
_PARTS: Final = {"edges": Part.ROWS, "nodes": Part.ROWS, "pageInfo": Part.ROWS, **PARTS}
"""The parts of a page, by the names of the fields that need them."""


@dataclass(frozen=True, slots=True)
class ConnectionProjection:
    """A function of the page and the actor; the columns it needs of each row, and the parts of the page."""

    project: Project
    columns: tuple[str, ...]
    parts: frozenset[Part]


class ConnectionWriter:
    """Writes the projection of one connection."""

    def __init__(self, selections: Selections, writer: Writer) -> None:
        self._selections = selections
        self._writer = writer
        self._source = RowSource([])
        self._parts: set[Part] = set()

    def write(self, kind: GraphQLObjectType, selected: Sequence[Selected]) -> ConnectionProjection:
        """The projection of a connection of this type.

        Raises:
            NotCompilable: something in it has no plan.
        """
        expression = self._dict(kind, selected, self._of_the_connection)
        project = self._writer.names.function("page, related, actor", expression)
        return ConnectionProjection(project, tuple(self._source.columns), frozenset(self._parts))

    def _dict(
        self,
        kind: GraphQLObjectType,
        selected: Sequence[Selected],
        write: Callable[[str, GraphQLObjectType, Sequence[Selected]], str],
    ) -> str:
        entries: list[str] = []
        for key, each in self._selections.below(kind, selected).items():
            name = each[0].node.name.value
            value = self._writer.names.of(kind.name) if name == "__typename" else self._field(kind, name, each, write)
            entries.append(f"{self._writer.names.of(key)}: {value}")
        return "{" + ", ".join(entries) + "}"

    def _field(
        self,
        kind: GraphQLObjectType,
        name: str,
        selected: Sequence[Selected],
        write: Callable[[str, GraphQLObjectType, Sequence[Selected]], str],
    ) -> str:
        if name in _PARTS:
            self._parts.add(_PARTS[name])
        known = kind.fields[name]
        meaning = meaning_of(known)
        if isinstance(meaning, OfPage):
            return f"{self._writer.names.of(meaning.compute)}(page, actor)"
        return write(name, get_named_type(known.type), selected)

    def _of_the_connection(self, name: str, inner: GraphQLObjectType, selected: Sequence[Selected]) -> str:
        if name == "edges":
            return f"[{self._dict(inner, selected, self._of_an_edge)} for row in page.rows]"
        if name == "nodes":
            return f"[{self._writer.object(inner, selected, self._source)} for row in page.rows]"
        if name == "pageInfo":
            return self._dict(inner, selected, self._of_page_info)
        raise NotCompilable(f"{name} of a connection")

    def _of_an_edge(self, name: str, inner: GraphQLObjectType, selected: Sequence[Selected]) -> str:
        if name == "cursor":
            return _CURSOR
        if name == "node":
            return self._writer.object(inner, selected, self._source)
        raise NotCompilable(f"{name} of an edge")

    def _of_page_info(self, name: str, inner: GraphQLObjectType, selected: Sequence[Selected]) -> str:
        raise NotCompilable(f"{name} of a page")
