"""GraphQL types for the items of a subscription and for its filter."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import strawberry

from domain.errors import BadRequest
from domain.events import TaskEvent
from graphql_api.schema.enums import ResyncReason, TaskChange, TaskStatus
from graphql_api.schema.ids import decode_id_of, optional_id_of
from graphql_api.schema.task import Task
from graphql_api.schema.task_history import made_by
from streaming.visibility import StreamFilter


@strawberry.interface(description="An item of the task stream.")
class TaskStreamItem:
    """The fields that every item has."""

    cursor: str = strawberry.field(
        description="The stream position of this item. Pass it as `after` to continue after this item."
    )
    at: datetime = strawberry.field(description="When the event happened.")
    task_id: strawberry.ID | None = strawberry.field(description="The id of the task that the item is about.")
    task: Task | None = strawberry.field(
        description="The complete task in its current state, which may be newer than this item. Null if the task was "
        "deleted since, or if you may no longer see it."
    )
    mutation_id: str | None = strawberry.field(
        default=None,
        description="The id of the mutation that made this change, if it had an idempotency key. A client that knows "
        "the key can calculate it, and so recognize its own change.",
    )


@strawberry.type(description="The status of a task was changed.")
class TaskStatusChanged(TaskStreamItem):
    """A change of the status; `row` is its event."""

    row: strawberry.Private[TaskEvent]
    from_: TaskStatus = strawberry.field(name="from", description="The status before the change.")
    to: TaskStatus = strawberry.field(description="The status after the change.")

    by = made_by("actor_id")


@strawberry.type(description="A task was created or changed.")
class TaskChanged(TaskStreamItem):
    """A change of any kind; `row` is its event."""

    row: strawberry.Private[TaskEvent]
    changes: list[TaskChange] = strawberry.field(description="What was changed.")

    by = made_by("actor_id")


@strawberry.type(description="You may no longer see this task. It still exists: remove it from your lists.")
class TaskGone(TaskStreamItem):
    """The task is no longer visible to the subscriber."""


@strawberry.type(description="A task was deleted.")
class TaskDeleted(TaskStreamItem):
    """The task does not exist any more."""


@strawberry.type(
    description="The stream cannot continue from the cursor that you gave as `after`. Read your lists again; "
    "the stream goes on with new events from the cursor of this item."
)
class ResyncRequired(TaskStreamItem):
    """The cursor cannot be continued. The stream continues with live events after this item."""

    reason: ResyncReason = strawberry.field(description="Why the stream cannot continue from the cursor.")


MAX_TASK_IDS: Final = 100
ITEMS: Final = (TaskStatusChanged, TaskChanged, TaskGone, TaskDeleted, ResyncRequired)


@strawberry.input(
    name="TaskStreamFilter",
    description="Selects the tasks to subscribe to. You receive a change if the task matches all given fields before "
    "or after it. A field that is null or left out matches every task; an empty list matches no task.",
)
class TaskStreamFilterInput:
    """A filter."""

    task_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description=f"Only these tasks; at most {MAX_TASK_IDS} ids."
    )
    owner_id: strawberry.ID | None = strawberry.field(default=None, description="Only tasks that this user owns.")
    assignee_id: strawberry.ID | None = strawberry.field(
        default=None, description="Only tasks that are assigned to this user."
    )
    project_id: strawberry.ID | None = strawberry.field(default=None, description="Only tasks of this project.")
    to: list[TaskStatus] | None = strawberry.field(
        default=None, description="Only changes after which the task has one of these statuses."
    )

    def to_filter(self) -> StreamFilter:
        """Convert to the filter of the `streaming` package.

        Raises:
            BadRequest: an id is malformed, or there are too many ids.
        """
        if self.task_ids is not None and len(self.task_ids) > MAX_TASK_IDS:
            raise BadRequest(f"At most {MAX_TASK_IDS} taskIds at a time, not {len(self.task_ids)}.")
        return StreamFilter(
            task_ids=_task_ids(self.task_ids) if self.task_ids is not None else None,
            owner_id=optional_id_of("User", self.owner_id, field="ownerId"),
            assignee_id=optional_id_of("User", self.assignee_id, field="assigneeId"),
            project_id=optional_id_of("Project", self.project_id, field="projectId"),
            to=frozenset(self.to) if self.to is not None else None,
        )


def _task_ids(ids: Sequence[str]) -> frozenset[UUID]:
    return frozenset(decode_id_of("Task", each, field=f"taskIds[{index}]") for index, each in enumerate(ids))
