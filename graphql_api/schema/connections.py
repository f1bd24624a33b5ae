"""The types of connections: pages of a list (Relay cursor connections)."""

from typing import Any, ClassVar, Self

import strawberry

from graphql_api.context import FieldContext
from graphql_api.schema.common import PageInfo, stream_cursor
from graphql_api.schema.fields import resolver
from graphql_api.schema.resolves_to import OfRow
from persistence.pagination import Facts, Page


def connection(
    kind: Any,
    name: str,
    description: str,
    *,
    edge: str,
    item: str,
    place: str = "list",
    total: str | None = None,
    position: str | None = None,
) -> type[OfRow]:
    """The type `<name>Connection` for pages of objects of *kind*, whose edges are of the type `<name>Edge`.

    *edge* describes an edge; *item* and *place* are the words for an object and for the list. *total* and *position*
    describe the fields `totalCount` and `streamCursor`; without a description, the connection does not have the field.
    """

    @strawberry.type(name=f"{name}Edge", description=edge)
    class Edge:
        cursor: str = strawberry.field(
            description=f"The position in the {place}. Pass it as `after` to start after this {item}."
        )
        node: Any = strawberry.field(graphql_type=kind, description=f"The {item}.")

    @strawberry.type(name=f"{name}Connection", description=description)
    class Connection:
        model: ClassVar = kind.model
        facts: strawberry.Private[Facts]
        edges: list[Edge] = strawberry.field(description=f"The {item}s with their cursors.")
        nodes: list[Any] = strawberry.field(graphql_type=list[kind], description=f"The {item}s without cursors.")
        page_info: PageInfo = strawberry.field(description=f"The position of this page in the {place}.")
        if total is not None:
            total_count = strawberry.field(resolver=_total_count, description=total)
        if position is not None:
            stream_cursor = strawberry.field(resolver=_stream_cursor, description=position)

        @classmethod
        def of(cls, page: Page[Any], /) -> Self:
            nodes = [kind.of(row) for row in page.rows]
            edges = [Edge(cursor=cursor, node=node) for cursor, node in zip(page.cursors, nodes, strict=True)]
            return cls(facts=page.facts, edges=edges, nodes=nodes, page_info=PageInfo.of(page))

    return Connection


def _total_count(self: Any) -> int:
    """The total; the statement for the page reads it if this field is selected."""
    total: int = self.facts["total"]
    return total


@resolver
def _stream_cursor(self: Any, field: FieldContext) -> str | None:
    """The cursor; the statement for the page reads the position if this field is selected."""
    return stream_cursor(self.facts, field.context.actor)
