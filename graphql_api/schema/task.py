"""GraphQL types for tasks."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

import strawberry

from domain import policy
from domain.actor import Actor
from domain.events import People
from domain.policy import Action
from domain.project import ProjectRole
from domain.task import MAX_DESCRIPTION, MAX_TITLE
from graphql_api.schema.comment import CommentConnection
from graphql_api.schema.common import Node
from graphql_api.schema.connections import connection, pages_of
from graphql_api.schema.enums import TaskPriority, TaskStatus
from graphql_api.schema.label import LabelConnection
from graphql_api.schema.object_fields import object_field
from graphql_api.schema.project import Project
from graphql_api.schema.resolves_to import Expression, LaterType, Pages, Reference
from graphql_api.schema.task_history import TaskHistoryConnection
from graphql_api.schema.user import User
from graphql_api.schema.viewer import BY_RELATION, FOR_ALL_USERS
from persistence.models import VisibleTaskRow
from persistence.queries.comment import COMMENTS
from persistence.queries.event import HISTORY
from persistence.queries.label import TASK_LABELS
from persistence.queries.project import projects
from persistence.queries.task import REFERENCES_OF_A_TASK, SUBTASKS, tasks


def _may(action: Action) -> Expression:
    """Whether the policy allows an action."""

    def allowed(
        actor: Actor,
        owner_id: UUID,
        assignee_id: UUID | None,
        project_id: UUID | None,
        viewer_role: ProjectRole | None,
        project_is_archived: bool | None,
    ) -> bool:
        people = People(owner_id, assignee_id, project_id)
        return policy.may(actor, action, people, viewer_role, is_archived=bool(project_is_archived))

    return Expression(allowed, ("owner_id", "assignee_id", "project_id", "viewer_role", "project_is_archived"))


def _key(_: Actor, project_key: str | None, number: int | None) -> str | None:
    return f"{project_key}-{number}" if number is not None else None


def _user(name: str) -> Reference:
    return Reference(User, name, REFERENCES_OF_A_TASK[name].column)


@strawberry.type(description="A task: a personal one, or one of a project.")
class Task(Node):
    """A task."""

    model: ClassVar = VisibleTaskRow
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
    number: int | None = strawberry.field(
        description="The number of the task in its project, from 1 on. No other task of the project has or had it. "
        "Null if the task is personal."
    )
    rank: str | None = strawberry.field(
        description="The place of the task in the manual order of its project: tasks are ordered by the bytes of their "
        "ranks, and by id if these are equal. Null if the task is personal."
    )
    subtask_count: int = strawberry.field(
        description="The number of subtasks. It changes without a new version of the task."
    )
    done_subtask_count: int = strawberry.field(
        description="The number of subtasks that are DONE. It changes without a new version of the task."
    )
    comment_count: int = strawberry.field(
        description="The number of comments on the task. A comment does not change the version of the task."
    )

    key = object_field(
        FOR_ALL_USERS,
        "The key of the project and the number, such as WEB-12. Null if the task is personal.",
        Expression(_key, ("project_key", "number")),
    )
    project = object_field(
        FOR_ALL_USERS,
        "The project of the task. Null if the task is personal: only its owner and its assignee can see it then.",
        Reference(Project, "project", REFERENCES_OF_A_TASK["project"].column, projects),
    )
    owner = object_field(
        FOR_ALL_USERS, "The user who created the task. A personal task belongs to this user.", _user("owner")
    )
    assignee = object_field(
        FOR_ALL_USERS, "The user to whom the task is assigned; null if it is not assigned.", _user("assignee")
    )
    viewer_can_update = object_field(
        BY_RELATION, "Whether you may change the title, description, priority and due date.", _may(Action.UPDATE_TASK)
    )
    viewer_can_update_status = object_field(
        BY_RELATION, "Whether you may change the status.", _may(Action.CHANGE_STATUS)
    )
    viewer_can_assign = object_field(BY_RELATION, "Whether you may assign the task.", _may(Action.ASSIGN_TASK))
    viewer_can_delete = object_field(BY_RELATION, "Whether you may delete the task.", _may(Action.DELETE_TASK))
    viewer_can_comment = object_field(
        BY_RELATION,
        "Whether you may write comments, and change and delete your own comments.",
        _may(Action.CREATE_COMMENT),
    )
    viewer_can_delete_comments = object_field(
        BY_RELATION, "Whether you may delete the comments of other users.", _may(Action.DELETE_COMMENT)
    )
    parent = object_field(
        BY_RELATION,
        "The task of which this one is a subtask; null if it is none. Both are in the same project.",
        Reference(LaterType("Task", __name__), "parent", "parent_id", tasks),
    )
    subtasks = object_field(
        BY_RELATION,
        "The subtasks, in their manual order. A subtask has none.",
        Pages(LaterType("SubtaskConnection", __name__), pages_of(SUBTASKS)),
    )
    labels = object_field(
        FOR_ALL_USERS,
        "The labels of the task, by name. A personal task has none.",
        Pages(LabelConnection, pages_of(TASK_LABELS)),
    )
    comments = object_field(
        BY_RELATION, "The comments on the task, oldest first.", Pages(CommentConnection, pages_of(COMMENTS))
    )
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

SubtaskConnection = connection(
    Task, "Subtask", "A page of subtasks, in their manual order.", edge="A subtask in a list.", item="subtask"
)
