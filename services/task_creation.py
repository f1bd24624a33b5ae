"""Creates tasks."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

from domain import policy
from domain.actor import OPERATOR_ID, Actor
from domain.errors import AlreadyExists, Forbidden, Invalid
from domain.idempotency import IdempotencyKey
from domain.policy import Action
from domain.rank import whole
from domain.task import TaskPriority, TaskStatus, check_task_id
from persistence.errors import Duplicate, ReferenceLost
from persistence.models import MembershipRow, ProjectRow, TaskCounterRow, TaskRow, VisibleTaskRow
from persistence.models.base import new_id
from persistence.models.rows import new_row
from persistence.repositories.task import TaskPlace
from persistence.row_locks import LockMode
from persistence.unit_of_work import OtherRows, UnitOfWork, repeated_for_other_rows
from services.idempotency import find_earlier_result, task_after_repetition
from services.subtask import check_parent, count_in
from services.task_access import (
    ProjectAccess,
    check_references,
    project_access,
    project_reads,
    reference_reads,
    require_creation,
)
from services.task_edit import checked_values
from services.task_event import creation
from services.task_order import next_place

_FIRST_TASK: Final = frozenset({"pk_task_counters", "uq_tasks_project_id_number"})
"""What two transactions violate that make the first task of a project, with its counter."""
_ID_IS_TAKEN: Final = "pk_tasks"


@repeated_for_other_rows
async def create_task(
    uow: UnitOfWork,
    *,
    title: str,
    description: str = "",
    priority: TaskPriority = TaskPriority.MEDIUM,
    due_at: datetime | None = None,
    assignee_id: UUID | None = None,
    project_id: UUID | None = None,
    label_ids: Collection[UUID] = (),
    parent_id: UUID | None = None,
    task_id: UUID | None = None,
) -> VisibleTaskRow:
    """Create a task that belongs to the actor, in a project or, without one, a personal task.

    A task of a project is placed at the end of its order. With *parent_id* it is a subtask, and its project is that of
    the parent. *task_id* is an id that the client has chosen. It is also the idempotency key: if the actor has created
    the task with the same values, it is returned.

    Raises:
        Forbidden: the actor is the operator, who is not a user and can own nothing, or may not create tasks in the
            project.
        Invalid: a value breaks a limit; the assignee is not an active user, or no member of the project; or the parent
            cannot have this subtask.
        AlreadyExists: a task has this id or had it.
        IdempotencyMismatch: the key or the id was used for another request.
        NotFound: the actor sees no such project or parent; or the task was created under this key before, and is not
            there for the actor any more.
    """
    require_owner(uow.actor)
    given = {
        "title": title,
        "description": description,
        "priority": priority,
        "due_at": due_at,
        "assignee_id": assignee_id,
        "label_ids": label_ids,
    }
    values = checked_values(given)
    # The parent may be in another project when the request is repeated, so that project is not a part of the request.
    optional = {"project_id": project_id, "parent_id": parent_id, "task_id": task_id}
    task = new_row(
        TaskRow,
        id=check_task_id(task_id, uow.now) if task_id is not None else new_id(),
        status=TaskStatus.TODO,
        owner_id=uow.actor.user_id,
        version=1,
        created_at=uow.now,
        updated_at=uow.now,
        project_id=project_id,
        parent_id=parent_id,
        comment_count=0,
        subtask_count=0,
        done_subtask_count=0,
        **values,
    )
    # Of requests without a project, the fingerprint is that of earlier versions.
    request = {name: value for name, value in values.items() if name != "label_ids" or value}
    request |= {name: value for name, value in optional.items() if value is not None}
    try:
        return await _create_once(uow, task, request)
    except (Duplicate, ReferenceLost) as error:
        if isinstance(error, Duplicate) and error.constraint == _ID_IS_TAKEN and task_id is not None:
            raise _taken() from error
        if isinstance(error, Duplicate) and error.constraint not in _FIRST_TASK:
            raise
        # At the same time, another transaction made the first task of the project, or deleted the project or parent.
        raise OtherRows from error


def require_owner(actor: Actor) -> None:
    """Check that the actor can own a task.

    Raises:
        Forbidden: the actor may create no task, or is the operator, who is not a user.
    """
    if not policy.reach_of(actor, Action.CREATE_TASK):
        policy.require_user(actor, Action.CREATE_TASK, actor.user_id)
    if actor.user_id == OPERATOR_ID:
        raise Forbidden("A task belongs to the user who creates it; do it in a user's name.")


async def _create_once(uow: UnitOfWork, task: TaskRow, request: dict[str, object]) -> VisibleTaskRow:
    chosen_id = request.get("task_id")
    async with uow:
        key = IdempotencyKey(f"task {chosen_id}") if chosen_id is not None else None
        created = await find_earlier_result(uow, "create_task", task.id, request, key=key)
        if created is not None:
            return await task_after_repetition(uow, created)
        if chosen_id is not None and await uow.events.deleted_of([task.id]):
            raise _taken()  # the database refuses ids of existing tasks and of tasks in the trash
        if task.parent_id is not None and task.project_id is None:
            task.project_id = (await uow.tasks.get(task.parent_id, path=("parentId",))).project_id
        project_id = task.project_id
        references = reference_reads(uow, request, project_id)
        if project_id is None:
            return await uow.write(partial(_create, uow, task, request), *references)
        parent = () if task.parent_id is None else (uow.tasks.lock_of(task.parent_id, LockMode.IN_BATCH),)
        locks = *project_reads(uow, project_id), uow.projects.counter_lock(project_id), *parent, *references
        return await uow.write(partial(_create_in_project, uow, task, request), *locks)


def _create(uow: UnitOfWork, task: TaskRow, values: Mapping[str, Any], *references: Any) -> VisibleTaskRow:
    """Add a personal task if the actor may have one, and if it may refer to its assignee."""
    policy.require_user(uow.actor, Action.CREATE_TASK, task.owner_id, path=("projectId",))
    if task.parent_id is not None:
        raise Invalid("A personal task has no subtasks.", path=("parentId",))
    check_references(values, None, references)
    _add(uow, task)
    return ProjectAccess().seen(task)


def _create_in_project(
    uow: UnitOfWork,
    task: TaskRow,
    values: Mapping[str, Any],
    found: ProjectRow | None,
    membership: MembershipRow | None,
    counter: TaskCounterRow | None,
    *others: Any,
) -> VisibleTaskRow:
    """Add the task at the end of its project, if the actor may, and if it may refer to others."""
    project = require_creation(uow, found, membership)
    references = others if task.parent_id is None else others[1:]
    parent = _parent(task, values, others)
    check_references(values, project.id, references)
    if parent is not None:
        count_in(uow, parent, task, 1)
    _number(uow, task, project, counter)
    _add(uow, task)
    uow.tasks.note_place(task.id, TaskPlace(project.id, task.parent_id))
    return project_access(project, membership).seen(task)


def _parent(task: TaskRow, values: Mapping[str, Any], others: Sequence[Any]) -> TaskRow | None:
    """The parent, if it can have this subtask. The project is that of the parent if the client has not named one."""
    if task.parent_id is None:
        return None
    is_moved = others[0] is not None and others[0].project_id != task.project_id
    if is_moved and "project_id" not in values:
        raise OtherRows
    return check_parent(task, others[0])


def _number(uow: UnitOfWork, task: TaskRow, project: ProjectRow, counter: TaskCounterRow | None) -> None:
    """Give the task the next number of its project, and the last rank."""
    if counter is None:
        task.number, task.rank = 1, whole(1)
        uow.projects.add_counter(project)
    else:
        task.number, task.rank = next_place(uow, counter)


def _add(uow: UnitOfWork, task: TaskRow) -> None:
    uow.tasks.add(task)
    uow.record(creation(uow, task))


def _taken() -> AlreadyExists:
    return AlreadyExists("A task has this id or had it; choose another one.", path=("id",))
