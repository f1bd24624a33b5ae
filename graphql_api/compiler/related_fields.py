"""Plans the lookups of one generated function: for each field whose value is read after the rows of the function."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from graphql import GraphQLField, GraphQLObjectType, get_named_type

from graphql_api.compiler.arguments import arguments_of
from graphql_api.compiler.code_generator import Place, RowSource, Writer
from graphql_api.compiler.connections import ConnectionWriter
from graphql_api.compiler.related import Lookup, PageLookup, Project, Projection, Related, RowLookup
from graphql_api.compiler.selections import Selected, Selections
from graphql_api.loaders import Ask
from graphql_api.schema.resolves_to import Pages, Reference
from persistence.pagination import Part
from persistence.queries.reader import Shape

PlaceT = TypeVar("PlaceT")


@dataclass(slots=True)
class _Rows:
    """Rows that several fields refer to; one statement reads the columns that all of them need."""

    ask: Ask
    related: "RelatedFields[int]"
    source: RowSource = field(default_factory=lambda: RowSource(["id"]))
    places: list[Any] = field(default_factory=list)
    functions: list[Project] = field(default_factory=list)

    def planned(self) -> Related[Any]:
        lookup: Lookup = RowLookup(self.ask, Shape(self.source.columns), tuple(self.functions), self.related.planned())
        return Related(lookup, tuple(self.places))


class RelatedFields(Generic[PlaceT]):
    """The lookups of a function. A `Place` says where its source finds the value of a field among them."""

    def __init__(self, selections: Selections) -> None:
        self._selections = selections
        self._found: list[Related[Any] | _Rows] = []
        self._rows: dict[Ask, int] = {}

    def planned(self) -> tuple[Related[PlaceT], ...]:
        """The lookups, when the function is complete."""
        return tuple(each.planned() if isinstance(each, _Rows) else each for each in self._found)

    def page(self, known: GraphQLField, meaning: Pages, selected: Sequence[Selected], place: PlaceT) -> Place:
        """Add a page for each row or object; *place* has its id."""
        kind: Any = get_named_type(known.type)
        parts, made = page_projection(self._selections, kind, selected)
        lookup = PageLookup(meaning.ask, arguments_of(known, selected[0].node), parts, made)
        self._found.append(Related(lookup, (place,)))
        return Place(len(self._found) - 1, 0)

    def row(self, kind: GraphQLObjectType, meaning: Reference, selected: Sequence[Selected], place: PlaceT) -> Place:
        """Add a row that each row or object refers to; *place* has its id."""
        number = self._rows.get(meaning.ask)
        if number is None:
            number = self._rows[meaning.ask] = len(self._found)
            self._found.append(_Rows(meaning.ask, RelatedFields[int](self._selections)))
        rows = self._found[number]
        assert isinstance(rows, _Rows)
        writer = Writer(self._selections, rows.related)
        rows.functions.append(writer.names.function("row, related, actor", writer.object(kind, selected, rows.source)))
        rows.places.append(place)
        return Place(number, len(rows.places) - 1)


def row_projection(
    selections: Selections, kind: GraphQLObjectType, selected: Sequence[Selected], *columns: str
) -> Projection:
    """The projection of a row; its first columns are *columns*."""
    related = RelatedFields[int](selections)
    source, writer = RowSource(list(columns)), Writer(selections, related)
    project = writer.names.function("row, related, actor", writer.object(kind, selected, source))
    return Projection(project, Shape(source.columns), related.planned())


def page_projection(
    selections: Selections, kind: GraphQLObjectType, selected: Sequence[Selected]
) -> tuple[frozenset[Part], Projection]:
    """The projection of a page, and the parts of the page that it needs."""
    related = RelatedFields[int](selections)
    made = ConnectionWriter(selections, Writer(selections, related)).write(kind, selected)
    return made.parts, Projection(made.project, Shape(made.columns), related.planned())
