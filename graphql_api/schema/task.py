"""Tasks, as clients see them."""

from datetime import datetime
from typing import Any, Self
from uuid import UUID

import strawberry

from domain import policy
from domain.actor import Actor
from domain.events import People
from domain.policy import Action
from domain.task import MAX_DESCRIPTION, MAX_TITLE
from graphql_api.schema.common import After, First, Info, Node, PageInfo
from graphql_api.schema.enums import TaskPriority, TaskStatus
from graphql_api.schema.history import HISTORY_ORDER, TaskHistoryConnection, history_pages, position_behind
from graphql_api.schema.ids import encode_id
from graphql_api.schema.stands_for import Expression, Pages, Reference, stands_for
from graphql_api.schema.user import User
from graphql_api.schema.viewer import BY_CLASS, FOR_ANYBODY
from persistence.models import TaskRow
from persistence.pages import Page, PageRequest, page_cursor
from persistence.reads.task_list import TaskFilter
from services import task as task_service
from services.task import TaskList


def _may(action: Action) -> dict[Any, Any]:
    """What a field stands for that says whether the policy allows something."""

    def allowed(actor: Actor, owner_id: UUID, assignee_id: UUID | None) -> bool:
        return policy.may(actor, action, People(owner_id, assignee_id))

    return stands_for(Expression(allowed, ("owner_id", "assignee_id")))


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

    @strawberry.field(description="Whose task it is.", metadata=FOR_ANYBODY | stands_for(Reference("owner")))
    async def owner(self, info: Info) -> User | None:
        """The owner."""
        row = await info.context.loaders.users.load(self.row.owner_id)
        return User.of(row) if row is not None else None

    @strawberry.field(
        description="Who is to do it; null: nobody in particular.",
        metadata=FOR_ANYBODY | stands_for(Reference("assignee")),
    )
    async def assignee(self, info: Info) -> User | None:
        """The assignee."""
        if self.row.assignee_id is None:
            return None
        row = await info.context.loaders.users.load(self.row.assignee_id)
        return User.of(row) if row is not None else None

    @strawberry.field(
        description="Whether you may change its title, description, priority and due date.",
        metadata=BY_CLASS | _may(Action.UPDATE_TASK),
    )
    def viewer_can_update(self, info: Info) -> bool:
        """As the policy says."""
        return policy.may(info.context.actor, Action.UPDATE_TASK, self.row)

    @strawberry.field(
        description="Whether you may move it on the board.", metadata=BY_CLASS | _may(Action.CHANGE_STATUS)
    )
    def viewer_can_update_status(self, info: Info) -> bool:
        """As the policy says."""
        return policy.may(info.context.actor, Action.CHANGE_STATUS, self.row)

    @strawberry.field(description="Whether you may give it to somebody.", metadata=BY_CLASS | _may(Action.ASSIGN_TASK))
    def viewer_can_assign(self, info: Info) -> bool:
        """As the policy says."""
        return policy.may(info.context.actor, Action.ASSIGN_TASK, self.row)

    @strawberry.field(description="Whether you may delete it.", metadata=BY_CLASS | _may(Action.DELETE_TASK))
    def viewer_can_delete(self, info: Info) -> bool:
        """As the policy says."""
        return policy.may(info.context.actor, Action.DELETE_TASK, self.row)

    @strawberry.field(
        description="What happened to it, the newest first, as far back as events are kept.",
        metadata=BY_CLASS | stands_for(Pages(history_pages)),
    )
    async def history(self, info: Info, first: First = 20, after: After = None) -> TaskHistoryConnection:
        """The task's events."""
        request = PageRequest.of(first, after, order=HISTORY_ORDER)
        events = await task_service.list_history(
            info.context.unit_of_work(), task_id=self.row.id, before=position_behind(request), at_most=first + 1
        )
        shown = events[:first]
        cursors = [page_cursor(HISTORY_ORDER, str(event.position), self.row.id) for event in shown]
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
