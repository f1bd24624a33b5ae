"""GraphQL types for tasks."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

import strawberry

from domain import policy
from domain.actor import Actor
from domain.events import People
from domain.policy import Action
from domain.task import MAX_DESCRIPTION, MAX_TITLE
from graphql_api.schema.common import Node
from graphql_api.schema.connections import connection, pages_of
from graphql_api.schema.enums import TaskPriority, TaskStatus
from graphql_api.schema.object_fields import object_field
from graphql_api.schema.resolves_to import Expression, Pages, Reference
from graphql_api.schema.task_history import TaskHistoryConnection
from graphql_api.schema.user import User
from graphql_api.schema.viewer import BY_RELATION, FOR_ALL_USERS
from persistence.models import TaskRow
from persistence.queries.event import HISTORY
from persistence.queries.joins import REFERENCES_OF_A_TASK


def _may(action: Action) -> Expression:
    """Whether the policy allows an action."""

    def allowed(actor: Actor, owner_id: UUID, assignee_id: UUID | None) -> bool:
        return policy.may(actor, action, People(owner_id, assignee_id))

    return Expression(allowed, ("owner_id", "assignee_id"))


def _reference(name: str) -> Reference:
    return Reference(User, name, REFERENCES_OF_A_TASK[name])


@strawberry.type(description="A task.")
class Task(Node):
    """A task."""

    model: ClassVar = TaskRow
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

    owner = object_field(FOR_ALL_USERS, "The user who owns the task.", _reference("owner"))
    assignee = object_field(
        FOR_ALL_USERS, "The user to whom the task is assigned; null if it is not assigned.", _reference("assignee")
    )
    viewer_can_update = object_field(
        BY_RELATION, "Whether you may change the title, description, priority and due date.", _may(Action.UPDATE_TASK)
    )
    viewer_can_update_status = object_field(
        BY_RELATION, "Whether you may change the status.", _may(Action.CHANGE_STATUS)
    )
    viewer_can_assign = object_field(BY_RELATION, "Whether you may assign the task.", _may(Action.ASSIGN_TASK))
    viewer_can_delete = object_field(BY_RELATION, "Whether you may delete the task.", _may(Action.DELETE_TASK))
    history = object_field(
        BY_RELATION,
        "The changes of the task, newest first, as far back as events are stored.",
        Pages(TaskHistoryConnection, pages_of(HISTORY)),
    )


TaskConnection = connection(
    Task,
    "Task",
    "A page of the tasks that you may see. All its fields belong to the same moment in the database.",
    edge="A task in a list.",
    item="task",
    total="The number of all tasks that match the filter. The database has to count them: select this field only "
    "if you need it.",
    position="The position of the stream when this page was read. Pass it as `after` of a subscription, and you "
    "receive every change since this page.",
)
