"""GraphQL types for deleted tasks that can be restored."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

import strawberry

from domain.actor import Actor
from graphql_api.schema.common import Payload
from graphql_api.schema.connections import connection
from graphql_api.schema.enums import TaskStatus
from graphql_api.schema.ids import encode_id
from graphql_api.schema.object_fields import RowObject, object_field
from graphql_api.schema.project import Project
from graphql_api.schema.resolves_to import Expression, Reference
from graphql_api.schema.task import Task
from graphql_api.schema.user import User
from graphql_api.schema.viewer import FOR_ALL_USERS
from persistence.models import VisibleTrashRow
from persistence.queries.project import projects
from persistence.queries.trash import REFERENCES_OF_TRASH


def _task_id(_: Actor, task_id: UUID) -> strawberry.ID:
    return encode_id("Task", task_id)


def _key(_: Actor, project_key: str | None, number: int | None) -> str | None:
    return f"{project_key}-{number}" if number is not None else None


def _reference(kind: type[Any], name: str, **options: Any) -> Reference:
    return Reference(kind, name, REFERENCES_OF_TRASH[name].column, **options)


@strawberry.type(description="A deleted task that you may restore. Its comments and labels come back with it.")
class DeletedTask(RowObject):
    """A deleted task."""

    model: ClassVar = VisibleTrashRow
    title: str = strawberry.field(description="The title.")
    status: TaskStatus = strawberry.field(description="The status that it had, and will have.")
    subtask_count: int = strawberry.field(description="The number of subtasks that it had. They were deleted with it.")
    comment_count: int = strawberry.field(description="The number of comments.")
    deleted_at: datetime = strawberry.field(description="When it was deleted.")

    id = object_field(FOR_ALL_USERS, "The id of the task, for `restoreTask`.", Expression(_task_id, ("id",)))
    key = object_field(
        FOR_ALL_USERS,
        "The key of the task, such as WEB-12. Null if it was personal.",
        Expression(_key, ("project_key", "number")),
    )
    project = object_field(
        FOR_ALL_USERS, "The project of the task. Null if it was personal.", _reference(Project, "project", ask=projects)
    )
    owner = object_field(FOR_ALL_USERS, "The user who created the task.", _reference(User, "owner"))
    deleted_by = object_field(FOR_ALL_USERS, "The user who deleted the task.", _reference(User, "deleter"))


DeletedTaskConnection = connection(
    DeletedTask,
    "DeletedTask",
    "A page of deleted tasks, the last one first.",
    edge="A deleted task in a list.",
    item="deleted task",
    total="The number of all tasks in this list.",
)


@strawberry.input(description="The task to restore.")
class RestoreTaskInput:
    """Input of `restoreTask`."""

    id: strawberry.ID = strawberry.field(description="The id of the deleted task.")


@strawberry.type(description="The result of `restoreTask`.")
class RestoreTaskPayload(Payload):
    """Payload of `restoreTask`."""

    task: Task | None = strawberry.field(default=None, description="The restored task.")
