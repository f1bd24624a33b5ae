"""GraphQL types for tasks."""

from datetime import datetime
from typing import Any, ClassVar, Self
from uuid import UUID

import strawberry

from domain import policy
from domain.actor import Actor
from domain.events import People
from domain.policy import Action
from domain.task import MAX_DESCRIPTION, MAX_TITLE
from graphql_api.context import FieldContext
from graphql_api.schema.common import After, Before, First, Last, Node, PageInfo, stream_cursor
from graphql_api.schema.enums import TaskPriority, TaskStatus
from graphql_api.schema.fields import resolver
from graphql_api.schema.ids import encode_id
from graphql_api.schema.resolves_to import Expression, Pages, Reference, resolves_to
from graphql_api.schema.task_history import TaskHistoryConnection, history_pages
from graphql_api.schema.user import User
from graphql_api.schema.viewer import BY_RELATION, FOR_ALL_USERS
from persistence.models import TaskRow
from persistence.pagination import Facts, Page, PageRequest, Part
from persistence.queries.event import HISTORY_ORDER
from services import task as task_service


def _may(action: Action) -> dict[Any, Any]:
    """The declaration of a field that says whether the policy allows an action."""

    def allowed(actor: Actor, owner_id: UUID, assignee_id: UUID | None) -> bool:
        return policy.may(actor, action, People(owner_id, assignee_id))

    return resolves_to(Expression(allowed, ("owner_id", "assignee_id")))


@strawberry.type(description="A task.")
class Task(Node):
    """A task."""

    model: ClassVar = TaskRow
    row: strawberry.Private[TaskRow]
    title: str = strawberry.field(description=f"1 to {MAX_TITLE} characters.")
    description: str = strawberry.field(description=f"At most {MAX_DESCRIPTION:,} characters; may be empty.")
    status: TaskStatus = strawberry.field(description="The status: the column of the task on the board.")
    priority: TaskPriority = strawberry.field(description="The priority.")
    due_at: datetime | None = strawberry.field(description="When the task is due; null if it has no due date.")
    version: int = strawberry.field(
        description="The version of the task. It grows by one with every change. Pass it as `expectedVersion` to avoid "
        "overwriting a change of another user, or compare it with the version in the stream."
    )
    created_at: datetime = strawberry.field(description="When the task was created.")
    updated_at: datetime = strawberry.field(description="When the task was last changed.")
    completed_at: datetime | None = strawberry.field(
        description="When the status became DONE; null if the status is not DONE."
    )

    @strawberry.field(
        description="The user who owns the task.", metadata=FOR_ALL_USERS | resolves_to(Reference("owner"))
    )
    @resolver
    async def owner(self, field: FieldContext) -> User | None:
        """Load the owner."""
        row = await field.context.loaders.users.load(self.row.owner_id)
        return User.of(row) if row is not None else None

    @strawberry.field(
        description="The user to whom the task is assigned; null if it is not assigned.",
        metadata=FOR_ALL_USERS | resolves_to(Reference("assignee")),
    )
    @resolver
    async def assignee(self, field: FieldContext) -> User | None:
        """Load the assignee."""
        if self.row.assignee_id is None:
            return None
        row = await field.context.loaders.users.load(self.row.assignee_id)
        return User.of(row) if row is not None else None

    @strawberry.field(
        description="Whether you may change the title, description, priority and due date.",
        metadata=BY_RELATION | _may(Action.UPDATE_TASK),
    )
    @resolver
    def viewer_can_update(self, field: FieldContext) -> bool:
        """As the policy says."""
        return policy.may(field.context.actor, Action.UPDATE_TASK, self.row)

    @strawberry.field(
        description="Whether you may change the status.", metadata=BY_RELATION | _may(Action.CHANGE_STATUS)
    )
    @resolver
    def viewer_can_update_status(self, field: FieldContext) -> bool:
        """As the policy says."""
        return policy.may(field.context.actor, Action.CHANGE_STATUS, self.row)

    @strawberry.field(description="Whether you may assign the task.", metadata=BY_RELATION | _may(Action.ASSIGN_TASK))
    @resolver
    def viewer_can_assign(self, field: FieldContext) -> bool:
        """As the policy says."""
        return policy.may(field.context.actor, Action.ASSIGN_TASK, self.row)

    @strawberry.field(description="Whether you may delete the task.", metadata=BY_RELATION | _may(Action.DELETE_TASK))
    @resolver
    def viewer_can_delete(self, field: FieldContext) -> bool:
        """As the policy says."""
        return policy.may(field.context.actor, Action.DELETE_TASK, self.row)

    @strawberry.field(
        description="The changes of the task, newest first, as far back as events are stored.",
        metadata=BY_RELATION | resolves_to(Pages(history_pages)),
    )
    @resolver
    async def history(
        self,
        field: FieldContext,
        parts: frozenset[Part],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> TaskHistoryConnection:
        """Read a page of the events of the task."""
        request = PageRequest.of(first, after, last, before, order=HISTORY_ORDER, parts=parts)
        page = await task_service.list_history(field.context.unit_of_work(), task_id=self.row.id, request=request)
        return TaskHistoryConnection.of(page)

    @classmethod
    def of(cls, row: TaskRow) -> Self:
        """Convert a row."""
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

    cursor: str = strawberry.field(description="The position in the list. Pass it as `after` to start after this task.")
    node: Task = strawberry.field(description="The task.")


@strawberry.type(
    description="A page of the tasks that you may see. All its fields belong to the same moment in the database."
)
class TaskConnection:
    """A connection."""

    model: ClassVar = TaskRow
    facts: strawberry.Private[Facts]
    edges: list[TaskEdge] = strawberry.field(description="The tasks with their cursors.")
    nodes: list[Task] = strawberry.field(description="The tasks without cursors.")
    page_info: PageInfo = strawberry.field(description="The position of this page in the list.")

    @strawberry.field(
        description="The number of all tasks that match the filter. The database has to count them: select this field "
        "only if you need it."
    )
    def total_count(self) -> int:
        """Return the total; the statement for the page reads it if this field is selected."""
        total: int = self.facts["total"]
        return total

    @strawberry.field(
        description="The position of the stream when this page was read. Pass it as `after` of a subscription, and you "
        "receive every change since this page."
    )
    @resolver
    def stream_cursor(self, field: FieldContext) -> str | None:
        """Return the cursor; the statement for the page reads the position if this field is selected."""
        return stream_cursor(self.facts, field.context.actor)

    @classmethod
    def of(cls, page: Page[TaskRow]) -> Self:
        """Convert a page of rows."""
        nodes = [Task.of(row) for row in page.rows]
        edges = [TaskEdge(cursor=cursor, node=node) for cursor, node in zip(page.cursors, nodes, strict=True)]
        return cls(facts=page.facts, edges=edges, nodes=nodes, page_info=PageInfo.of(page))
