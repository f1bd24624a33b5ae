"""GraphQL types for the history of a task."""

from datetime import datetime
from typing import Self
from uuid import UUID

import strawberry

from domain.actor import Actor
from domain.events import LoggedEvent, TaskEvent
from graphql_api.context import FieldContext
from graphql_api.schema.common import PageInfo
from graphql_api.schema.enums import TaskChange, TaskStatus
from graphql_api.schema.fields import resolver
from graphql_api.schema.resolves_to import Reference, resolves_to
from graphql_api.schema.user import User
from graphql_api.schema.viewer import FOR_ALL_USERS
from persistence.pagination import Page, PageRequest, Part
from persistence.queries import event as reads
from persistence.queries.query import Paged


@strawberry.type(description="One change of a task.")
class TaskHistoryEntry:
    """An event in the history of a task."""

    logged: strawberry.Private[LoggedEvent]
    event: strawberry.Private[TaskEvent]
    at: datetime = strawberry.field(description="When the change was made.")
    changes: list[TaskChange] = strawberry.field(description="What was changed.")
    from_: TaskStatus | None = strawberry.field(
        name="from", description="The status before the change; null if the task was created."
    )
    to: TaskStatus = strawberry.field(description="The status after the change.")
    version: int = strawberry.field(description="The version of the task after the change.")

    @strawberry.field(
        description="The user who made the change; null if it was made on the command line.",
        metadata=FOR_ALL_USERS | resolves_to(Reference("by")),
    )
    @resolver
    async def by(self, field: FieldContext) -> User | None:
        """Load the actor of the event."""
        row = await field.context.loaders.users.load(self.event.actor_id)
        return User.of(row) if row is not None else None

    @classmethod
    def of(cls, logged: LoggedEvent) -> Self:
        """Convert an event."""
        event = logged.event
        assert isinstance(event, TaskEvent)
        assert event.to_status is not None  # `persistence/event_parsing.py` returns no other events
        return cls(
            logged=logged,
            event=event,
            at=event.at,
            changes=list(event.changes),
            from_=event.from_status,
            to=event.to_status,
            version=event.version,
        )


@strawberry.type(description="A change in a task's history.")
class TaskHistoryEdge:
    """An edge."""

    cursor: str = strawberry.field(
        description="The position in the history. Pass it as `after` to start after this change."
    )
    node: TaskHistoryEntry = strawberry.field(description="The change.")


@strawberry.type(description="A page of the history of a task, newest change first.")
class TaskHistoryConnection:
    """A connection."""

    edges: list[TaskHistoryEdge] = strawberry.field(description="The changes with their cursors.")
    nodes: list[TaskHistoryEntry] = strawberry.field(description="The changes without cursors.")
    page_info: PageInfo = strawberry.field(description="The position of this page in the history.")

    @classmethod
    def of(cls, page: Page[LoggedEvent]) -> Self:
        """Convert a page of events."""
        nodes = [TaskHistoryEntry.of(logged) for logged in page.rows]
        edges = [TaskHistoryEdge(cursor=cursor, node=node) for cursor, node in zip(page.cursors, nodes, strict=True)]
        return cls(edges=edges, nodes=nodes, page_info=PageInfo.of(page))


def history_pages(
    actor: Actor,
    parts: frozenset[Part],
    ids: list[UUID],
    first: int | None,
    after: str | None,
    last: int | None,
    before: str | None,
) -> Paged:
    """The query for one page of history for each of these tasks.

    Raises:
        BadRequest: an argument is invalid.
    """
    request = PageRequest.of(first, after, last, before, order=reads.HISTORY_ORDER, parts=parts)
    return reads.history(ids, request)
