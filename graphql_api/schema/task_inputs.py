"""What the mutations and filters of tasks take, and what the mutations answer."""

from datetime import datetime

import strawberry

from domain.task import MAX_DESCRIPTION, MAX_TITLE
from graphql_api.schema.common import Payload
from graphql_api.schema.enums import TaskPriority, TaskStatus
from graphql_api.schema.ids import optional_id_of
from graphql_api.schema.task import Task
from persistence.queries.task_list import TaskFilter


@strawberry.input(
    name="TaskFilter",
    description="Which tasks; every field that is given must match, and of a list one value must, so that an empty "
    "list finds none. Null is the same as left out: any.",
)
class TaskFilterInput:
    """A filter."""

    status: list[TaskStatus] | None = strawberry.field(default=None, description="In one of these columns.")
    priority: list[TaskPriority] | None = strawberry.field(default=None, description="Of one of these priorities.")
    owner_id: strawberry.ID | None = strawberry.field(default=None, description="Of this user.")
    assignee_id: strawberry.ID | None = strawberry.field(default=None, description="Given to this user.")
    due_after: datetime | None = strawberry.field(default=None, description="Due then or later.")
    due_before: datetime | None = strawberry.field(default=None, description="Due earlier.")
    search: str | None = strawberry.field(
        default=None, description="Title or description contains this, ignoring case; 3 to 200 characters."
    )

    def to_filter(self) -> TaskFilter:
        """The filter in the house's words.

        Raises:
            BadRequest: an id is malformed.
        """
        return TaskFilter(
            status=tuple(set(self.status)) if self.status is not None else None,
            priority=tuple(set(self.priority)) if self.priority is not None else None,
            owner_id=optional_id_of("User", self.owner_id, field="ownerId"),
            assignee_id=optional_id_of("User", self.assignee_id, field="assigneeId"),
            due_after=self.due_after,
            due_before=self.due_before,
            search=self.search,
        )


@strawberry.input(description="A new task; it will be yours.")
class CreateTaskInput:
    """Input of `createTask`."""

    title: str = strawberry.field(description=f"1 to {MAX_TITLE} characters.")
    description: str = strawberry.field(
        default="", description=f"At most {MAX_DESCRIPTION:,} characters; left out: empty."
    )
    priority: TaskPriority = strawberry.field(
        default=TaskPriority.MEDIUM, description="How urgent it is; left out: MEDIUM."
    )
    due_at: datetime | None = strawberry.field(
        default=None, description="When it should be done; left out or null: at no time in particular."
    )
    assignee_id: strawberry.ID | None = strawberry.field(
        default=None, description="Who is to do it: an active user; left out or null: nobody in particular."
    )


EXPECTED_VERSION = "Refuse with CONFLICT unless the task is at this version; left out or null: at any."


@strawberry.input(description="What to change of a task; what is left out stays, null clears.")
class UpdateTaskInput:
    """Input of `updateTask`."""

    id: strawberry.ID = strawberry.field(description="Which task.")
    title: str | None = strawberry.field(
        default=strawberry.UNSET, description=f"1 to {MAX_TITLE} characters; cannot be cleared."
    )
    description: str | None = strawberry.field(
        default=strawberry.UNSET, description=f"At most {MAX_DESCRIPTION:,} characters; null empties it."
    )
    priority: TaskPriority | None = strawberry.field(
        default=strawberry.UNSET, description="How urgent it is; cannot be cleared."
    )
    due_at: datetime | None = strawberry.field(
        default=strawberry.UNSET, description="When it should be done; null: no longer due at any time."
    )
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED_VERSION)


@strawberry.input(description="Another column for a task.")
class UpdateTaskStatusInput:
    """Input of `updateTaskStatus`."""

    id: strawberry.ID = strawberry.field(description="Which task.")
    status: TaskStatus = strawberry.field(description="The column; the one it is in already is fine.")
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED_VERSION)


@strawberry.input(description="Somebody to do a task.")
class AssignTaskInput:
    """Input of `assignTask`."""

    id: strawberry.ID = strawberry.field(description="Which task.")
    assignee_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET,
        description="An active user; null: nobody in particular; left out: the assignee stays as it is.",
    )
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED_VERSION)


@strawberry.input(description="A task to delete for good.")
class DeleteTaskInput:
    """Input of `deleteTask`."""

    id: strawberry.ID = strawberry.field(description="Which task.")
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED_VERSION)


@strawberry.type
class ChangedTask(Payload):
    """The task after a change."""

    task: Task | None = strawberry.field(default=None, description="The whole task as it is now, with its version.")


@strawberry.type(description="What `createTask` answers.")
class CreateTaskPayload(ChangedTask):
    """Payload of `createTask`."""


@strawberry.type(description="What `updateTask` answers.")
class UpdateTaskPayload(ChangedTask):
    """Payload of `updateTask`."""


@strawberry.type(description="What `updateTaskStatus` answers.")
class UpdateTaskStatusPayload(ChangedTask):
    """Payload of `updateTaskStatus`."""


@strawberry.type(description="What `assignTask` answers.")
class AssignTaskPayload(ChangedTask):
    """Payload of `assignTask`."""


@strawberry.type(description="What `deleteTask` answers.")
class DeleteTaskPayload(Payload):
    """Payload of `deleteTask`."""

    deleted_task_id: strawberry.ID | None = strawberry.field(default=None, description="The task that is gone.")
