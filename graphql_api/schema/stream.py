"""What a subscription tells, as clients see it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import strawberry

from domain.errors import BadRequest
from domain.events import TaskEvent
from graphql_api.context import FieldContext
from graphql_api.schema.enums import ResyncReason, TaskChange, TaskStatus
from graphql_api.schema.fields import resolver
from graphql_api.schema.ids import decode_id_of, optional_id_of
from graphql_api.schema.task import Task
from graphql_api.schema.user import User
from graphql_api.schema.viewer import FOR_ANYBODY
from streaming.visibility import StreamFilter


@strawberry.interface(description="Something that the stream tells.")
class TaskStreamItem:
    """What every item has."""

    cursor: str = strawberry.field(
        description="Where the stream stands with this item: `after` of the next subscription continues behind it."
    )
    at: datetime = strawberry.field(description="When it happened.")
    task_id: strawberry.ID | None = strawberry.field(description="Which task it is about.")
    task: Task | None = strawberry.field(
        description="The whole task as it is now, which may be newer than this item; null if it was deleted since, "
        "or you may not see it any more."
    )


@strawberry.type(description="A task moved to another column of the board.")
class TaskStatusChanged(TaskStreamItem):
    """A move."""

    event: strawberry.Private[TaskEvent]
    from_: TaskStatus = strawberry.field(name="from", description="The column before.")
    to: TaskStatus = strawberry.field(description="The column after.")

    @strawberry.field(description="Who moved it; null if it was done at the command line.", metadata=FOR_ANYBODY)
    @resolver
    async def by(self, field: FieldContext) -> User | None:
        """The actor."""
        return await _user(field, self.event)


@strawberry.type(description="A task was created or changed in any way.")
class TaskChanged(TaskStreamItem):
    """A change."""

    event: strawberry.Private[TaskEvent]
    changes: list[TaskChange] = strawberry.field(description="What was changed.")

    @strawberry.field(description="Who did it; null if it was done at the command line.", metadata=FOR_ANYBODY)
    @resolver
    async def by(self, field: FieldContext) -> User | None:
        """The actor."""
        return await _user(field, self.event)


@strawberry.type(description="A task still exists, but you may no longer see it.")
class TaskGone(TaskStreamItem):
    """It left one's sight."""


@strawberry.type(description="A task was deleted.")
class TaskDeleted(TaskStreamItem):
    """It is gone for everybody."""


@strawberry.type(
    description="The cursor given as `after` cannot be continued: read your lists again, then go on from this cursor."
)
class ResyncRequired(TaskStreamItem):
    """Never silence: the stream goes on live after this item."""

    reason: ResyncReason = strawberry.field(description="Why not.")


MAX_TASK_IDS: Final = 100
ITEMS: Final = (TaskStatusChanged, TaskChanged, TaskGone, TaskDeleted, ResyncRequired)


@strawberry.input(
    name="TaskStreamFilter",
    description="Which tasks to listen to; a change is told if the task matches before it or after it. Null is the "
    "same as left out: any; an empty list matches none.",
)
class TaskStreamFilterInput:
    """A filter."""

    task_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description=f"These tasks, at most {MAX_TASK_IDS}."
    )
    owner_id: strawberry.ID | None = strawberry.field(default=None, description="Tasks of this user.")
    assignee_id: strawberry.ID | None = strawberry.field(default=None, description="Tasks given to this user.")
    to: list[TaskStatus] | None = strawberry.field(
        default=None, description="Only what leaves the task in one of these columns."
    )

    def to_filter(self) -> StreamFilter:
        """The filter in the house's words.

        Raises:
            BadRequest: an id is malformed, or there are too many.
        """
        if self.task_ids is not None and len(self.task_ids) > MAX_TASK_IDS:
            raise BadRequest(f"At most {MAX_TASK_IDS} taskIds at a time, not {len(self.task_ids)}.")
        return StreamFilter(
            task_ids=_task_ids(self.task_ids) if self.task_ids is not None else None,
            owner_id=optional_id_of("User", self.owner_id, field="ownerId"),
            assignee_id=optional_id_of("User", self.assignee_id, field="assigneeId"),
            to=frozenset(self.to) if self.to is not None else None,
        )


def _task_ids(ids: Sequence[str]) -> frozenset[UUID]:
    return frozenset(decode_id_of("Task", each, field=f"taskIds[{place}]") for place, each in enumerate(ids))


async def _user(field: FieldContext, event: TaskEvent) -> User | None:
    row = await field.context.loaders.users.load(event.actor_id)
    return User.of(row) if row is not None else None
