"""Tasks: asked for and changed."""

from typing import Annotated
from uuid import UUID

import strawberry

from domain.actor import Actor
from domain.errors import Invalid, Refusal
from graphql_api.auth.permissions import TASKS_READ, TASKS_WRITE
from graphql_api.context import FieldContext
from graphql_api.resolvers.fields import mutation, query
from graphql_api.resolvers.optional_inputs import given, given_as, never_null
from graphql_api.schema.common import After, Before, First, Id, Last, UserError
from graphql_api.schema.enums import TaskOrder
from graphql_api.schema.ids import decode_id_of, encode_id, optional_id_of
from graphql_api.schema.resolves_to import Connection, One
from graphql_api.schema.task import Task, TaskConnection
from graphql_api.schema.task_inputs import (
    AssignTaskInput,
    AssignTaskPayload,
    CreateTaskInput,
    CreateTaskPayload,
    DeleteTaskInput,
    DeleteTaskPayload,
    MoveTaskInput,
    MoveTaskPayload,
    SetTaskLabelsInput,
    SetTaskLabelsPayload,
    SetTaskParentInput,
    SetTaskParentPayload,
    TaskFilterInput,
    UpdateTaskInput,
    UpdateTaskPayload,
    UpdateTasksInput,
    UpdateTasksPayload,
    UpdateTasksResult,
    UpdateTaskStatusInput,
    UpdateTaskStatusPayload,
    label_ids_of,
)
from persistence.pagination import PageRequest, Part
from persistence.queries import task as reads
from persistence.queries.query import Paged, Query
from persistence.queries.task_list import EVERYTHING
from persistence.queries.task_page import task_page
from services import subtask, task_creation, task_move
from services import task as task_service
from services.task_bulk import Outcome, update_tasks
from services.task_edit import TaskEdit
from services.task_move import Move
from services.task_order import Neighbour, Side

Filter = Annotated[
    TaskFilterInput | None, strawberry.argument(description="The tasks to return. Default: all that you may see.")
]
Key = Annotated[str, strawberry.argument(description="The key of the project, a hyphen, and the number of the task.")]
OrderBy = Annotated[TaskOrder, strawberry.argument(description="The order of the tasks.")]


def _task(actor: Actor, id: Id) -> Query:
    return reads.task(actor, decode_id_of("Task", id, field="id"))


def _task_by_key(actor: Actor, key: Key) -> Query:
    return reads.task_by_key(actor, key)


def _tasks(
    actor: Actor,
    parts: frozenset[Part],
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    filter: Filter = None,
    order_by: OrderBy = TaskOrder.CREATED_DESC,
) -> Paged:
    wanted = filter.to_filter() if filter is not None else EVERYTHING
    request = PageRequest.of(first, after, last, before, order=order_by.value, parts=parts)
    return task_page(actor, request, wanted, order_by)


@strawberry.type
class TaskQueries:
    """Fields of Query."""

    task = query(
        TASKS_READ,
        "A task by its id. Null if it does not exist, or if you may not see it.",
        One(Task, _task, nullable=True),
    )
    task_by_key = query(
        TASKS_READ,
        "A task of a project by its key, such as WEB-12. The key of the project may be one that it had before. "
        "Null if there is no such task, or if you may not see it.",
        One(Task, _task_by_key, nullable=True),
    )
    tasks = query(TASKS_READ, "The tasks that you may see, in pages.", Connection(TaskConnection, _tasks))


@strawberry.type
class TaskMutations:
    """Fields of Mutation."""

    @mutation(TASKS_WRITE, "Create a personal task or, as MEMBER, a task in a project.")
    async def create_task(self, field: FieldContext, input: CreateTaskInput) -> CreateTaskPayload | None:
        """One service call."""
        row = await task_creation.create_task(
            field.idempotent_unit_of_work(),
            title=input.title,
            description=input.description,
            priority=input.priority,
            due_at=input.due_at,
            assignee_id=_assignee_id(input.assignee_id),
            project_id=_project_id(input.project_id),
            label_ids=label_ids_of(input.label_ids or ()),
            parent_id=optional_id_of("Task", input.parent_id, field="parentId"),
            task_id=optional_id_of("Task", input.id, field="id"),
        )
        return CreateTaskPayload(task=Task.of(row))

    @mutation(
        TASKS_WRITE, "Change a personal task that you own or, as MEMBER, a task of a project. Admins: every task."
    )
    async def update_task(self, field: FieldContext, input: UpdateTaskInput) -> UpdateTaskPayload | None:
        """One service call."""
        row = await task_service.update_task(
            field.idempotent_unit_of_work(),
            task_id=decode_id_of("Task", input.id, field="id"),
            edit=TaskEdit(
                title=never_null(input.title, "title"),
                description="" if input.description is None else given(input.description),
                priority=never_null(input.priority, "priority"),
                due_at=given(input.due_at),
            ),
            expected_version=input.expected_version,
        )
        return UpdateTaskPayload(task=Task.of(row))

    @mutation(
        TASKS_WRITE,
        "Change the status of a personal task that you own or that is assigned to you or, as MEMBER, of a task of a "
        "project. Admins: every task.",
    )
    async def update_task_status(
        self, field: FieldContext, input: UpdateTaskStatusInput
    ) -> UpdateTaskStatusPayload | None:
        """One service call."""
        row = await task_service.update_task_status(
            field.idempotent_unit_of_work(),
            task_id=decode_id_of("Task", input.id, field="id"),
            status=input.status,
            expected_version=input.expected_version,
        )
        return UpdateTaskStatusPayload(task=Task.of(row))

    @mutation(
        TASKS_WRITE,
        "Assign a personal task that you own or, as MEMBER, a task of a project; or remove the assignee. "
        "Admins: every task.",
    )
    async def assign_task(self, field: FieldContext, input: AssignTaskInput) -> AssignTaskPayload | None:
        """One service call."""
        row = await task_service.assign_task(
            field.idempotent_unit_of_work(),
            task_id=decode_id_of("Task", input.id, field="id"),
            assignee_id=given_as(_assignee_id, input.assignee_id),
            expected_version=input.expected_version,
        )
        return AssignTaskPayload(task=Task.of(row))

    @mutation(TASKS_WRITE, "Set the labels of a task of a project, as MEMBER. Admins: of every project.")
    async def set_task_labels(self, field: FieldContext, input: SetTaskLabelsInput) -> SetTaskLabelsPayload | None:
        """One service call."""
        row = await task_service.update_task(
            field.idempotent_unit_of_work(),
            task_id=decode_id_of("Task", input.id, field="id"),
            edit=TaskEdit(label_ids=label_ids_of(input.label_ids)),
            expected_version=input.expected_version,
        )
        return SetTaskLabelsPayload(task=Task.of(row))

    @mutation(
        TASKS_WRITE,
        "Make the same change of several tasks. Each is changed, or refused, as by the mutation for one task.",
    )
    async def update_tasks(self, field: FieldContext, input: UpdateTasksInput) -> UpdateTasksPayload | None:
        """One service call."""
        ids = [decode_id_of("Task", each, field=f"ids[{index}]") for index, each in enumerate(input.ids)]
        outcomes = await update_tasks(
            lambda task_id: field.idempotent_unit_of_work(encode_id("Task", task_id) if task_id is not None else None),
            task_ids=ids,
            edit=TaskEdit(
                status=never_null(input.status, "status"),
                priority=never_null(input.priority, "priority"),
                due_at=given(input.due_at),
                assignee_id=given_as(_assignee_id, input.assignee_id),
                label_ids=given_as(label_ids_of, never_null(input.label_ids, "labelIds")),
            ),
        )
        return UpdateTasksPayload(results=[_result(each, outcomes[each]) for each in ids])

    @mutation(
        TASKS_WRITE,
        "Move a task, as MEMBER: change its status and its place in the order of its project, or move it to another "
        "project. A task of a project keeps its old key. Admins: every task.",
    )
    async def move_task(self, field: FieldContext, input: MoveTaskInput) -> MoveTaskPayload | None:
        """One service call."""
        row = await task_move.move_task(
            field.idempotent_unit_of_work(),
            task_id=decode_id_of("Task", input.id, field="id"),
            move=Move(
                status=never_null(input.status, "status"),
                neighbour=_neighbour(input),
                project_id=given_as(_project_id, input.project_id),
            ),
            expected_version=input.expected_version,
        )
        return MoveTaskPayload(task=Task.of(row))

    @mutation(
        TASKS_WRITE,
        "Make a task of a project a subtask of another one, or no subtask, as MEMBER. Admins: of every project.",
    )
    async def set_task_parent(self, field: FieldContext, input: SetTaskParentInput) -> SetTaskParentPayload | None:
        """One service call."""
        row = await subtask.set_parent(
            field.idempotent_unit_of_work(),
            task_id=decode_id_of("Task", input.id, field="id"),
            parent_id=optional_id_of("Task", input.parent_id, field="parentId"),
            expected_version=input.expected_version,
        )
        return SetTaskParentPayload(task=Task.of(row))

    @mutation(
        TASKS_WRITE,
        "Delete a personal task that you own or, as MANAGER, a task of a project, with its subtasks. `restoreTask` "
        "brings it back, as long as it is in the `trash`. Moderators and admins: every task.",
    )
    async def delete_task(self, field: FieldContext, input: DeleteTaskInput) -> DeleteTaskPayload | None:
        """One service call."""
        task_id = await task_service.delete_task(
            field.idempotent_unit_of_work(),
            task_id=decode_id_of("Task", input.id, field="id"),
            expected_version=input.expected_version,
        )
        return DeleteTaskPayload(deleted_task_id=encode_id("Task", task_id))


def _result(task_id: UUID, outcome: Outcome) -> UpdateTasksResult:
    """What was done with one of several tasks."""
    if isinstance(outcome, Refusal):
        return UpdateTasksResult(task_id=encode_id("Task", task_id), user_errors=[UserError.of(outcome)])
    return UpdateTasksResult(task_id=encode_id("Task", task_id), task=Task.of(outcome))


def _neighbour(input: MoveTaskInput) -> Neighbour | None:
    """The task beside which a task is placed.

    Raises:
        Invalid: there are two.
    """
    if input.after is not None and input.before is not None:
        raise Invalid("Give `after` or `before`, not both.", path=("before",))
    if input.after is not None:
        return Neighbour(decode_id_of("Task", input.after, field="after"), Side.AFTER)
    if input.before is not None:
        return Neighbour(decode_id_of("Task", input.before, field="before"), Side.BEFORE)
    return None


def _assignee_id(value: strawberry.ID | None) -> UUID | None:
    return optional_id_of("User", value, field="assigneeId")


def _project_id(value: strawberry.ID | None) -> UUID | None:
    return optional_id_of("Project", value, field="projectId")
