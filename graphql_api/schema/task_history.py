"""GraphQL types for the history of a task."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

import strawberry

from domain.actor import Actor
from graphql_api.schema.common import After, Before, First, Last
from graphql_api.schema.connections import connection
from graphql_api.schema.enums import TaskChange, TaskStatus
from graphql_api.schema.object_fields import RowObject, object_field
from graphql_api.schema.resolves_to import Reference
from graphql_api.schema.user import User
from graphql_api.schema.viewer import FOR_ALL_USERS
from persistence.models import TaskHistoryRow
from persistence.pagination import PageRequest, Part
from persistence.queries import event as reads
from persistence.queries.query import Paged


def made_by(column: str) -> Any:
    """The field `by` of an object whose `row` has the user's id in *column*."""
    description = "The user who made the change; null if it was made on the command line."
    return object_field(FOR_ALL_USERS, description, Reference(User, "by", column))


@strawberry.type(description="One change of a task.")
class TaskHistoryEntry(RowObject):
    """An event in the history of a task."""

    model: ClassVar = TaskHistoryRow
    at: datetime = strawberry.field(description="When the change was made.")
    changes: list[TaskChange] = strawberry.field(description="What was changed.")
    from_: TaskStatus | None = strawberry.field(
        name="from", description="The status before the change; null if the task was created."
    )
    to: TaskStatus = strawberry.field(description="The status after the change.")
    version: int = strawberry.field(description="The version of the task after the change.")
    by = made_by(reads.REFERENCES_OF_AN_EVENT["by"])


TaskHistoryConnection = connection(
    TaskHistoryEntry,
    "TaskHistory",
    "A page of the history of a task, newest change first.",
    edge="A change in a task's history.",
    item="change",
    place="history",
)


def history_pages(
    actor: Actor,
    parts: frozenset[Part],
    parents: list[UUID],
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Paged:
    """The query for one page of history for each of these tasks.

    Raises:
        BadRequest: an argument is invalid.
    """
    request = PageRequest.of(first, after, last, before, order=reads.HISTORY_ORDER, parts=parts)
    return reads.history(parents, request)
