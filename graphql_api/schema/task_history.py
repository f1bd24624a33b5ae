"""GraphQL types for the history of a task."""

from datetime import datetime
from typing import Any, ClassVar

import strawberry

from graphql_api.schema.connections import connection
from graphql_api.schema.enums import TaskChange, TaskStatus
from graphql_api.schema.object_fields import RowObject, object_field
from graphql_api.schema.resolves_to import Reference
from graphql_api.schema.user import User
from graphql_api.schema.viewer import FOR_ALL_USERS
from persistence.models import TaskHistoryRow
from persistence.queries.event import REFERENCES_OF_AN_EVENT


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
    by = made_by(REFERENCES_OF_AN_EVENT["by"].column)


TaskHistoryConnection = connection(
    TaskHistoryEntry,
    "TaskHistory",
    "A page of the history of a task, newest change first.",
    edge="A change in a task's history.",
    item="change",
    place="history",
)
