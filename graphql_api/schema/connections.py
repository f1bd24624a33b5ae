"""The types of connections: pages of a list (Relay cursor connections)."""

from collections.abc import Callable
from typing import Any, ClassVar, Self
from uuid import UUID

import strawberry

from domain.actor import Actor
from domain.stream_cursor import StreamCursor
from graphql_api.schema.common import After, Before, First, Last
from graphql_api.schema.object_fields import object_field
from graphql_api.schema.resolves_to import OfPage, OfRow, PageOfRows
from graphql_api.schema.viewer import FOR_ALL_USERS, PERSONAL
from persistence.pagination import Page, PageRequest, Part
from persistence.queries.child_list import ChildList
from persistence.queries.query import Paged


def _has_next_page(page: PageOfRows, _: Actor) -> bool:
    return page.has_next


def _has_previous_page(page: PageOfRows, _: Actor) -> bool:
    return page.has_previous


def _start_cursor(page: PageOfRows, _: Actor) -> str | None:
    return page.cursor_at(0)


def _end_cursor(page: PageOfRows, _: Actor) -> str | None:
    return page.cursor_at(-1)


def _total_count(page: PageOfRows, _: Actor) -> int:
    total: int = page.facts["total"]
    return total


def _stream_cursor(page: PageOfRows, actor: Actor) -> str | None:
    """The position that was read together with the page; the cursor is valid for this actor."""
    epoch, position, fingerprint = (page.facts[f"head_{fact}"] for fact in ("epoch", "position", "fingerprint"))
    return StreamCursor(epoch, position, actor.access_version, fingerprint).encode()


@strawberry.type(description="The position of a page in its list (Relay cursor connections).")
class PageInfo:
    """The PageInfo type of Relay."""

    page: strawberry.Private[Page[Any]]
    has_next_page = object_field(
        FOR_ALL_USERS, "Whether the list has more items after this page.", OfPage(_has_next_page)
    )
    has_previous_page = object_field(
        FOR_ALL_USERS, "Whether the list has more items before this page.", OfPage(_has_previous_page)
    )
    start_cursor = object_field(
        FOR_ALL_USERS,
        "The cursor of the first edge. Pass it as `before` to get the previous page. Null on an empty page.",
        OfPage(_start_cursor),
    )
    end_cursor = object_field(
        FOR_ALL_USERS,
        "The cursor of the last edge. Pass it as `after` to get the next page. Null on an empty page.",
        OfPage(_end_cursor),
    )


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
        page: strawberry.Private[Page[Any]]
        edges: list[Edge] = strawberry.field(description=f"The {item}s with their cursors.")
        nodes: list[Any] = strawberry.field(graphql_type=list[kind], description=f"The {item}s without cursors.")
        page_info: PageInfo = strawberry.field(description=f"The position of this page in the {place}.")
        if total is not None:
            total_count = object_field(FOR_ALL_USERS, total, OfPage(_total_count))
        if position is not None:
            stream_cursor = object_field(PERSONAL, position, OfPage(_stream_cursor))

        @classmethod
        def of(cls, page: Page[Any], /) -> Self:
            nodes = [kind.of(row) for row in page.rows]
            edges = [Edge(cursor=cursor, node=node) for cursor, node in zip(page.cursors, nodes, strict=True)]
            return cls(page=page, edges=edges, nodes=nodes, page_info=PageInfo(page=page))

    return Connection


def pages_of(children: ChildList) -> Callable[..., Paged]:
    """The `ask` of a field with a page of the list of each task (`Pages`); it has the arguments of a connection."""

    def ask(
        actor: Actor,
        parts: frozenset[Part],
        parents: list[UUID],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Paged:
        request = PageRequest.of(first, after, last, before, order=children.order, parts=parts)
        return children.page(parents, request, actor)

    return ask
