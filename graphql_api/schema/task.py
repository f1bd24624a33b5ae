"""Tasks, as clients see them."""

from datetime import datetime
from typing import Self

import strawberry

from domain import policy
from domain.errors import BadRequest
from domain.events import LoggedEvent, TaskChange, TaskEvent
from domain.policy import Action
from domain.task import MAX_DESCRIPTION, MAX_TITLE, TaskPriority, TaskStatus
from graphql_api.schema.common import After, First, Info, Node, PageInfo, Payload, described
from graphql_api.schema.ids import decode_id_of, encode_id
from graphql_api.schema.user import User
from persistence.models import TaskRow
from persistence.pages import Page, PageCursor, PageRequest
from persistence.repositories.task import TaskFilter, TaskOrder
from services import task as task_service
from services.task import TaskList

HISTORY_ORDER = "task.history"

described(
    TaskStatus,
    "The columns of the board. "
    "TODO → IN_PROGRESS, DONE, CANCELLED · IN_PROGRESS → TODO, DONE, CANCELLED · DONE → TODO, IN_PROGRESS · "
    "CANCELLED → TODO; staying put is always allowed.",
    {
        "TODO": "Not begun.",
        "IN_PROGRESS": "Somebody is at it.",
        "DONE": "Finished.",
        "CANCELLED": "Will not be done.",
    },
)
described(
    TaskPriority,
    "How urgent a task is; sorts from LOW to URGENT.",
    {"LOW": "Some day.", "MEDIUM": "As usual.", "HIGH": "Soon.", "URGENT": "Now."},
)
described(
    TaskOrder,
    "The order of a list of tasks; equals are ordered by id, the same way.",
    {
        "CREATED_ASC": "The oldest first.",
        "CREATED_DESC": "The newest first.",
        "UPDATED_ASC": "The longest untouched first.",
        "UPDATED_DESC": "The last changed first.",
        "DUE_ASC": "The next due first; those without a due date last.",
        "DUE_DESC": "The last due first; those without a due date last.",
        "PRIORITY_ASC": "The least urgent first.",
        "PRIORITY_DESC": "The most urgent first.",
    },
)
described(
    TaskChange,
    "What a change did to a task.",
    {
        "CREATED": "It was created.",
        "TITLE": "It has another title.",
        "DESCRIPTION": "It has another description.",
        "STATUS": "It moved to another column.",
        "PRIORITY": "It has another priority.",
        "DUE_AT": "It has another due date, or none.",
        "ASSIGNEE": "It was given to somebody else, or to nobody.",
        "DELETED": "It was deleted.",
    },
)


@strawberry.type(description="One change of a task.")
class TaskHistoryEntry:
    """An event as the task's history tells it."""

    logged: strawberry.Private[LoggedEvent]
    event: strawberry.Private[TaskEvent]
    at: datetime = strawberry.field(description="When.")
    changes: list[TaskChange] = strawberry.field(description="What was changed.")
    from_: TaskStatus | None = strawberry.field(
        name="from", description="The status before; null for the task's creation."
    )
    to: TaskStatus = strawberry.field(description="The status after.")
    version: int = strawberry.field(description="The task's version after.")

    @strawberry.field(description="Who did it; null if it was done at the command line.")
    async def by(self, info: Info) -> User | None:
        """The actor."""
        row = await info.context.loaders.users.load(self.event.actor_id)
        return User.of(row) if row is not None else None

    @classmethod
    def of(cls, logged: LoggedEvent) -> Self:
        """The event as clients see it."""
        event = logged.event
        assert isinstance(event, TaskEvent)
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

    cursor: str = strawberry.field(description="The place in the history: `after` to begin behind it.")
    node: TaskHistoryEntry = strawberry.field(description="The change.")


@strawberry.type(description="A page of a task's history, the newest change first.")
class TaskHistoryConnection:
    """A connection."""

    edges: list[TaskHistoryEdge] = strawberry.field(description="The changes with their cursors.")
    nodes: list[TaskHistoryEntry] = strawberry.field(description="The changes alone.")
    page_info: PageInfo = strawberry.field(description="Where this page lies.")

    @classmethod
    def of(cls, page: Page[LoggedEvent]) -> Self:
        """The page as clients see it."""
        nodes = [TaskHistoryEntry.of(logged) for logged in page.rows]
        edges = [TaskHistoryEdge(cursor=cursor, node=node) for cursor, node in zip(page.cursors, nodes, strict=True)]
        return cls(edges=edges, nodes=nodes, page_info=PageInfo.of(page))


@strawberry.type(description="Something to be done.")
class Task(Node):
    """A task."""

    row: strawberry.Private[TaskRow]
    title: str = strawberry.field(description=f"1 to {MAX_TITLE} characters.")
    description: str = strawberry.field(description=f"At most {MAX_DESCRIPTION:,} characters; may be empty.")
    status: TaskStatus = strawberry.field(description="Its column on the board.")
    priority: TaskPriority = strawberry.field(description="How urgent it is.")
    due_at: datetime | None = strawberry.field(description="When it should be done.")
    version: int = strawberry.field(
        description="Grows by one with every change: `expectedVersion` of a careful mutation, and the sign in the "
        "stream that a change has arrived."
    )
    created_at: datetime = strawberry.field(description="When it was created.")
    updated_at: datetime = strawberry.field(description="When it was last changed.")
    completed_at: datetime | None = strawberry.field(description="When it became DONE; null while it is not.")

    @strawberry.field(description="Whose task it is.")
    async def owner(self, info: Info) -> User | None:
        """The owner."""
        row = await info.context.loaders.users.load(self.row.owner_id)
        return User.of(row) if row is not None else None

    @strawberry.field(description="Who is to do it; null: nobody in particular.")
    async def assignee(self, info: Info) -> User | None:
        """The assignee."""
        if self.row.assignee_id is None:
            return None
        row = await info.context.loaders.users.load(self.row.assignee_id)
        return User.of(row) if row is not None else None

    @strawberry.field(description="Whether you may change its title, description, priority and due date.")
    def viewer_can_update(self, info: Info) -> bool:
        """As the policy says."""
        return policy.may(info.context.actor, Action.UPDATE_TASK, self.row)

    @strawberry.field(description="Whether you may move it on the board.")
    def viewer_can_update_status(self, info: Info) -> bool:
        """As the policy says."""
        return policy.may(info.context.actor, Action.CHANGE_STATUS, self.row)

    @strawberry.field(description="Whether you may give it to somebody.")
    def viewer_can_assign(self, info: Info) -> bool:
        """As the policy says."""
        return policy.may(info.context.actor, Action.ASSIGN_TASK, self.row)

    @strawberry.field(description="Whether you may delete it.")
    def viewer_can_delete(self, info: Info) -> bool:
        """As the policy says."""
        return policy.may(info.context.actor, Action.DELETE_TASK, self.row)

    @strawberry.field(description="What happened to it, the newest first, as far back as events are kept.")
    async def history(self, info: Info, first: First = 20, after: After = None) -> TaskHistoryConnection:
        """The task's events."""
        request = PageRequest.of(first, after, order=HISTORY_ORDER)
        events = await task_service.list_history(
            info.context.unit_of_work(), task_id=self.row.id, before=_position(request), at_most=first + 1
        )
        shown = events[:first]
        cursors = [PageCursor(HISTORY_ORDER, str(event.position), self.row.id).encode() for event in shown]
        return TaskHistoryConnection.of(Page(shown, cursors, len(events) > first, after is not None))

    @classmethod
    def of(cls, row: TaskRow) -> Self:
        """The row as clients see it."""
        return cls(
            id=encode_id("Task", row.id),
            row=row,
            title=row.title,
            description=row.description,
            status=row.status,
            priority=row.priority,
            due_at=row.due_at,
            version=row.version,
            created_at=row.created_at,
            updated_at=row.updated_at,
            completed_at=row.completed_at,
        )


@strawberry.type(description="A task in a list.")
class TaskEdge:
    """An edge."""

    cursor: str = strawberry.field(description="The place in the list: `after` to begin behind it.")
    node: Task = strawberry.field(description="The task.")


@strawberry.type(description="A page of the tasks that you may see.")
class TaskConnection:
    """A connection."""

    wanted: strawberry.Private[TaskFilter]
    edges: list[TaskEdge] = strawberry.field(description="The tasks with their cursors.")
    nodes: list[Task] = strawberry.field(description="The tasks alone.")
    page_info: PageInfo = strawberry.field(description="Where this page lies.")
    stream_cursor: str | None = strawberry.field(
        description="Where the stream stood before this page was read: `after` of a subscription; nothing is missed."
    )

    @strawberry.field(description="How many tasks the filter finds in all; costs a count, so ask only if you show it.")
    async def total_count(self, info: Info) -> int:
        """Counted only when asked for."""
        return await task_service.count_tasks(info.context.unit_of_work(), wanted=self.wanted)

    @classmethod
    def of(cls, tasks: TaskList, wanted: TaskFilter) -> Self:
        """The page as clients see it."""
        nodes = [Task.of(row) for row in tasks.page.rows]
        edges = [TaskEdge(cursor=cursor, node=node) for cursor, node in zip(tasks.page.cursors, nodes, strict=True)]
        return cls(
            wanted=wanted,
            edges=edges,
            nodes=nodes,
            page_info=PageInfo.of(tasks.page),
            stream_cursor=tasks.stream_cursor.encode() if tasks.stream_cursor is not None else None,
        )


@strawberry.input(
    name="TaskFilter",
    description="Which tasks; every field that is given must match, and of a list one value must.",
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
            status=tuple(self.status) if self.status is not None else None,
            priority=tuple(self.priority) if self.priority is not None else None,
            owner_id=decode_id_of("User", self.owner_id) if self.owner_id is not None else None,
            assignee_id=decode_id_of("User", self.assignee_id) if self.assignee_id is not None else None,
            due_after=self.due_after,
            due_before=self.due_before,
            search=self.search,
        )


@strawberry.input(description="A new task; it will be yours.")
class CreateTaskInput:
    """Input of `createTask`."""

    title: str = strawberry.field(description=f"1 to {MAX_TITLE} characters.")
    description: str = strawberry.field(default="", description=f"At most {MAX_DESCRIPTION:,} characters.")
    priority: TaskPriority = strawberry.field(default=TaskPriority.MEDIUM, description="How urgent it is.")
    due_at: datetime | None = strawberry.field(default=None, description="When it should be done.")
    assignee_id: strawberry.ID | None = strawberry.field(default=None, description="Who is to do it: an active user.")


EXPECTED_VERSION = "Refuse with CONFLICT unless the task is at this version."


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
    assignee_id: strawberry.ID | None = strawberry.field(description="An active user; null: nobody in particular.")
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


def _position(request: PageRequest) -> int | None:
    if request.after is None:
        return None
    value = request.after.value or ""
    if not value.isascii() or not value.isdigit() or len(value) > 18:
        raise BadRequest("This cursor was not made by this API.")
    return int(value)
