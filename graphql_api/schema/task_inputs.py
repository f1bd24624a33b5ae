"""GraphQL inputs and payloads of the task mutations, and the filter for lists of tasks."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import strawberry

from domain.errors import BadRequest
from domain.label import MAX_TASK_LABELS
from domain.task import MAX_DESCRIPTION, MAX_SUBTASKS, MAX_TITLE
from graphql_api.schema.common import Payload, UserError
from graphql_api.schema.enums import TaskPriority, TaskStatus
from graphql_api.schema.ids import decode_id_of, optional_id_of
from graphql_api.schema.task import Task
from persistence.queries.task_list import TaskFilter
from services.task_bulk import MAX_TASKS

MAX_LABELS_OF_FILTER: Final = 20
_LABEL_IDS = f"Labels of the project of the task, at most {MAX_TASK_LABELS}."


def label_ids_of(ids: Sequence[str]) -> tuple[UUID, ...]:
    """The ids of labels.

    Raises:
        BadRequest: an id is malformed.
    """
    return tuple(decode_id_of("Label", each, field=f"labelIds[{index}]") for index, each in enumerate(ids))


@strawberry.input(
    name="TaskFilter",
    description="Selects tasks. A task must match every field that you give; for a list, it must match one of its "
    "values, so an empty list matches no task. A field that is null or left out matches every task.",
)
class TaskFilterInput:
    """A filter."""

    status: list[TaskStatus] | None = strawberry.field(default=None, description="Tasks with one of these statuses.")
    priority: list[TaskPriority] | None = strawberry.field(
        default=None, description="Tasks with one of these priorities."
    )
    owner_id: strawberry.ID | None = strawberry.field(default=None, description="Tasks that this user owns.")
    assignee_id: strawberry.ID | None = strawberry.field(
        default=None, description="Tasks that are assigned to this user."
    )
    due_after: datetime | None = strawberry.field(default=None, description="Tasks that are due at this time or later.")
    due_before: datetime | None = strawberry.field(default=None, description="Tasks that are due before this time.")
    search: str | None = strawberry.field(
        default=None,
        description="Tasks whose title or description contains this text, ignoring case; 3 to 200 characters.",
    )
    project_id: strawberry.ID | None = strawberry.field(default=None, description="Tasks of this project.")
    label_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description=f"Tasks with one of these labels, at most {MAX_LABELS_OF_FILTER}."
    )
    parent_id: strawberry.ID | None = strawberry.field(default=None, description="Subtasks of this task.")
    is_subtask: bool | None = strawberry.field(
        default=None, description="True: only subtasks. False: only tasks that are no subtasks."
    )

    def to_filter(self) -> TaskFilter:
        """Convert to the filter of the `persistence` package.

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
            project_id=optional_id_of("Project", self.project_id, field="projectId"),
            label_ids=_label_ids(self.label_ids),
            parent_id=optional_id_of("Task", self.parent_id, field="parentId"),
            is_subtask=self.is_subtask,
        )


def _label_ids(ids: list[strawberry.ID] | None) -> tuple[UUID, ...] | None:
    if ids is None:
        return None
    if len(ids) > MAX_LABELS_OF_FILTER:
        raise BadRequest(f"At most {MAX_LABELS_OF_FILTER} labelIds at a time, not {len(ids)}.")
    return label_ids_of(ids)


@strawberry.input(description="A new task of a project, or a personal one. You become its owner.")
class CreateTaskInput:
    """Input of `createTask`."""

    title: str = strawberry.field(description=f"1 to {MAX_TITLE} characters.")
    description: str = strawberry.field(
        default="", description=f"At most {MAX_DESCRIPTION:,} characters. If it is left out, the description is empty."
    )
    priority: TaskPriority = strawberry.field(
        default=TaskPriority.MEDIUM, description="The priority. If it is left out, it is MEDIUM."
    )
    due_at: datetime | None = strawberry.field(
        default=None, description="When the task is due. Null or left out: the task has no due date."
    )
    assignee_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="The id of an active user, who must be a member of the project if there is one. "
        "Null or left out: the task is not assigned.",
    )
    project_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of a project. Null or left out: the task is personal."
    )
    label_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description=f"{_LABEL_IDS} Null or left out: the task has no labels."
    )
    parent_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="The id of a task of a project: the new task is a subtask of it, in the same project. Null or left "
        f"out: it is no subtask. A task has at most {MAX_SUBTASKS} subtasks, and a subtask has none.",
    )
    id: strawberry.ID | None = strawberry.field(
        default=None,
        description="The id of the new task, if the client chooses it: the base64url text (RFC 4648, section 5, "
        "without padding) of `Task:` and the 16 bytes of a UUID of version 7 (RFC 9562). It is also an idempotency "
        "key: the same input again returns the same task. Null or left out: the server chooses the id.",
    )


EXPECTED_VERSION = (
    "Makes the change only if the task has this version; otherwise the error code is CONFLICT. "
    "Null or left out: the version is not checked."
)


@strawberry.input(
    description="The changes of a task. A field that is left out stays as it is; null clears a field that can be empty."
)
class UpdateTaskInput:
    """Input of `updateTask`."""

    id: strawberry.ID = strawberry.field(description="The id of the task.")
    title: str | None = strawberry.field(
        default=strawberry.UNSET, description=f"1 to {MAX_TITLE} characters; must not be null."
    )
    description: str | None = strawberry.field(
        default=strawberry.UNSET, description=f"At most {MAX_DESCRIPTION:,} characters; null makes it empty."
    )
    priority: TaskPriority | None = strawberry.field(
        default=strawberry.UNSET, description="The priority; must not be null."
    )
    due_at: datetime | None = strawberry.field(
        default=strawberry.UNSET, description="When the task is due; null removes the due date."
    )
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED_VERSION)


@strawberry.input(description="The new status of a task.")
class UpdateTaskStatusInput:
    """Input of `updateTaskStatus`."""

    id: strawberry.ID = strawberry.field(description="The id of the task.")
    status: TaskStatus = strawberry.field(description="The new status. The current status is allowed too.")
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED_VERSION)


@strawberry.input(description="The new assignee of a task.")
class AssignTaskInput:
    """Input of `assignTask`."""

    id: strawberry.ID = strawberry.field(description="The id of the task.")
    assignee_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET,
        description="The id of an active user, who must be a member of the task's project if it has one. "
        "Null removes the assignee. If it is left out, the assignee stays as it is.",
    )
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED_VERSION)


@strawberry.input(description="The labels of a task.")
class SetTaskLabelsInput:
    """Input of `setTaskLabels`."""

    id: strawberry.ID = strawberry.field(description="The id of the task.")
    label_ids: list[strawberry.ID] = strawberry.field(description=f"All labels that the task then has. {_LABEL_IDS}")
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED_VERSION)


@strawberry.input(
    description="Where a task goes. What is left out stays as it is. With `after` or `before` the task is placed "
    "beside another one; without them, a task that comes to another project is placed at the end."
)
class MoveTaskInput:
    """Input of `moveTask`."""

    id: strawberry.ID = strawberry.field(description="The id of the task.")
    status: TaskStatus | None = strawberry.field(
        default=strawberry.UNSET, description="The new status; must not be null."
    )
    after: strawberry.ID | None = strawberry.field(
        default=None,
        description="The id of the task after which this one is placed, whatever its status is. If the project has no "
        "such task any more, this one is placed at the end.",
    )
    before: strawberry.ID | None = strawberry.field(
        default=None, description="The id of the task before which this one is placed; otherwise like `after`."
    )
    project_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET,
        description="The id of the project to which the task goes. Null makes it a personal task, which only its owner "
        "may do.",
    )
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED_VERSION)


@strawberry.input(description="The task of which a task is a subtask.")
class SetTaskParentInput:
    """Input of `setTaskParent`."""

    id: strawberry.ID = strawberry.field(description="The id of the task. It must have no subtasks.")
    parent_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="The id of a task of the same project that is no subtask itself. Null or left out: the task is no "
        "subtask any more.",
    )
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED_VERSION)


@strawberry.input(
    description="The same change of several tasks. A field that is left out stays as it is; null clears a field that "
    "can be empty."
)
class UpdateTasksInput:
    """Input of `updateTasks`."""

    ids: list[strawberry.ID] = strawberry.field(description=f"The ids of the tasks, at most {MAX_TASKS}.")
    status: TaskStatus | None = strawberry.field(
        default=strawberry.UNSET, description="The new status; must not be null."
    )
    priority: TaskPriority | None = strawberry.field(
        default=strawberry.UNSET, description="The priority; must not be null."
    )
    due_at: datetime | None = strawberry.field(
        default=strawberry.UNSET, description="When the tasks are due; null removes the due date."
    )
    assignee_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="The id of the new assignee; null removes the assignee."
    )
    label_ids: list[strawberry.ID] | None = strawberry.field(
        default=strawberry.UNSET, description=f"All labels that each task then has; must not be null. {_LABEL_IDS}"
    )


@strawberry.input(description="The task to delete.")
class DeleteTaskInput:
    """Input of `deleteTask`."""

    id: strawberry.ID = strawberry.field(description="The id of the task.")
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED_VERSION)


@strawberry.type
class ChangedTask(Payload):
    """A payload with the task after the change."""

    task: Task | None = strawberry.field(default=None, description="The complete task after the change.")


@strawberry.type(description="The result of `createTask`.")
class CreateTaskPayload(ChangedTask):
    """Payload of `createTask`."""


@strawberry.type(description="The result of `updateTask`.")
class UpdateTaskPayload(ChangedTask):
    """Payload of `updateTask`."""


@strawberry.type(description="The result of `updateTaskStatus`.")
class UpdateTaskStatusPayload(ChangedTask):
    """Payload of `updateTaskStatus`."""


@strawberry.type(description="The result of `assignTask`.")
class AssignTaskPayload(ChangedTask):
    """Payload of `assignTask`."""


@strawberry.type(description="The result of `setTaskLabels`.")
class SetTaskLabelsPayload(ChangedTask):
    """Payload of `setTaskLabels`."""


@strawberry.type(description="The result of `moveTask`.")
class MoveTaskPayload(ChangedTask):
    """Payload of `moveTask`."""


@strawberry.type(description="The result of `setTaskParent`.")
class SetTaskParentPayload(ChangedTask):
    """Payload of `setTaskParent`."""


@strawberry.type(description="What `updateTasks` did with one task.")
class UpdateTasksResult:
    """One of the results of `updateTasks`."""

    task_id: strawberry.ID = strawberry.field(description="The id of the task.")
    task: Task | None = strawberry.field(
        default=None, description="The complete task after the change; null if it was not changed."
    )
    user_errors: list[UserError] = strawberry.field(
        default_factory=list, description="The reasons why this task was not changed. Empty if, and only if, it was."
    )


@strawberry.type(description="The result of `updateTasks`.")
class UpdateTasksPayload(Payload):
    """Payload of `updateTasks`."""

    results: list[UpdateTasksResult] = strawberry.field(
        default_factory=list, description="One result for each of the given ids, in their order."
    )


@strawberry.type(description="The result of `deleteTask`.")
class DeleteTaskPayload(Payload):
    """Payload of `deleteTask`."""

    deleted_task_id: strawberry.ID | None = strawberry.field(default=None, description="The id of the deleted task.")
