"""Use cases of tasks: one function, one transaction."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from domain import policy
from domain.actor import OPERATOR_ID, Actor
from domain.errors import Forbidden, Invalid, NotFound
from domain.events import People, TaskChange, TaskEvent
from domain.policy import Action
from domain.task import (
    ExpectedVersion,
    TaskPriority,
    TaskStatus,
    check_transition,
    check_version,
    completed_at,
)
from persistence.models import TaskRow, UserRow
from persistence.models.base import new_id
from persistence.models.rows import new_row
from persistence.queries.task_list import EVERYTHING, TaskFilter
from persistence.row_locks import RowLock
from persistence.unit_of_work import UnitOfWork
from services.idempotency import find_earlier_result
from services.task_edit import EDITABLE, TaskEdit, checked_values, permissions_of, with_status
from services.unset import UnsetType


async def slice_tasks(uow: UnitOfWork, *, skip: int, limit: int) -> list[TaskRow]:
    """Tasks by age, the oldest first, from an offset: for clients that know no cursors."""
    async with uow:
        return await uow.tasks.slice(skip=skip, limit=limit)


async def count_tasks(uow: UnitOfWork, *, wanted: TaskFilter = EVERYTHING) -> int:
    """How many tasks of these the actor sees."""
    async with uow:
        return await uow.tasks.count(wanted)


async def create_task(
    uow: UnitOfWork,
    *,
    title: str,
    description: str = "",
    priority: TaskPriority = TaskPriority.MEDIUM,
    due_at: datetime | None = None,
    assignee_id: UUID | None = None,
) -> TaskRow:
    """Create a task that belongs to the actor.

    Raises:
        Forbidden: if the actor is the operator, who is no user and can own nothing.
        Invalid: if a value breaks a limit, or the assignee is not an active user.
        IdempotencyMismatch: if the key was used for another request.
        NotFound: if the task was created under this key before, and is not there for the actor any more.
    """
    require_owner(uow.actor)
    given = {
        "title": title,
        "description": description,
        "priority": priority,
        "due_at": due_at,
        "assignee_id": assignee_id,
    }
    values = checked_values(given)
    task = new_row(
        TaskRow,
        id=new_id(),
        status=TaskStatus.TODO,
        owner_id=uow.actor.user_id,
        version=1,
        created_at=uow.now,
        updated_at=uow.now,
        **values,
    )
    async with uow:
        created = await find_earlier_result(uow, "create_task", task.id, values)
        if created is not None:
            return await _as_it_is_now(uow, created)
        return await uow.write(partial(_create, uow, task), *_assignee_lock(uow, assignee_id))


async def update_task(
    uow: UnitOfWork, *, task_id: UUID, edit: TaskEdit, expected_version: ExpectedVersion = None
) -> TaskRow:
    """Change any of a task's fields; all of them together are one version and one event.

    Setting a field to its current value changes nothing and records no event. A request that is repeated under the key
    of its unit of work changes nothing either; it returns the current task.

    Raises:
        NotFound: if the actor sees no such task.
        Forbidden: if the actor may look at it but not change this of it.
        Invalid: if a value breaks a limit, or the new assignee is not an active user.
        InvalidTransition: if the board has no such move.
        Conflict: if *expected_version* is not the current one.
        IdempotencyMismatch: if the key was used for another request.
    """
    values = edit.checked()
    async with uow:
        request = {"task_id": task_id, "expected_version": expected_version, **values}
        if await find_earlier_result(uow, "update_task", task_id, request):
            return await _as_it_is_now(uow, task_id)
        locks = uow.tasks.lock_of(task_id), *_assignee_lock(uow, values.get("assignee_id"))
        return await uow.write(partial(_update, uow, values, expected_version), *locks)


async def update_task_status(
    uow: UnitOfWork, *, task_id: UUID, status: TaskStatus, expected_version: ExpectedVersion = None
) -> TaskRow:
    """Change the status of a task.

    Setting the current status changes nothing and records no event.

    Raises:
        NotFound: if the actor sees no such task.
        Forbidden: if the actor may look at it but not change it.
        InvalidTransition: if the board has no such move.
        Conflict: if *expected_version* is not the current one.
        IdempotencyMismatch: if the key was used for another request.
    """
    return await update_task(uow, task_id=task_id, edit=TaskEdit(status=status), expected_version=expected_version)


async def assign_task(
    uow: UnitOfWork, *, task_id: UUID, assignee_id: UUID | UnsetType | None, expected_version: ExpectedVersion = None
) -> TaskRow:
    """Assign or unassign a task; the owner stays. UNSET leaves the assignee unchanged.

    Raises:
        NotFound: if the actor sees no such task.
        Forbidden: if the actor may look at it but not assign it.
        Invalid: if the assignee is not an active user.
        Conflict: if *expected_version* is not the current one.
        IdempotencyMismatch: if the key was used for another request.
    """
    edit = TaskEdit(assignee_id=assignee_id)
    return await update_task(uow, task_id=task_id, edit=edit, expected_version=expected_version)


async def delete_task(uow: UnitOfWork, *, task_id: UUID, expected_version: ExpectedVersion = None) -> UUID:
    """Remove a task for good; returns its id.

    Raises:
        NotFound: if the actor sees no such task.
        Forbidden: if the actor may look at it but not delete it.
        Conflict: if *expected_version* is not the current one.
        IdempotencyMismatch: if the key was used for another request.
    """
    async with uow:
        request: dict[str, object] = {"task_id": task_id, "expected_version": expected_version}
        if await find_earlier_result(uow, "delete_task", task_id, request):
            return task_id
        return await uow.write(partial(_delete, uow, expected_version), uow.tasks.lock_of(task_id))


def require_owner(actor: Actor) -> None:
    """Check that the actor can own a task.

    Raises:
        Forbidden: the actor may create no task, or is the operator, who is no user.
    """
    policy.require_user(actor, Action.CREATE_TASK, actor.user_id)
    if actor.user_id == OPERATOR_ID:
        raise Forbidden("A task belongs to the user who creates it; do it in a user's name.")


def creation(uow: UnitOfWork, task: TaskRow) -> TaskEvent:
    """The event of a new task."""
    return _event(uow, task, (TaskChange.CREATED,), before=None, after=_people(task), from_status=None)


async def _as_it_is_now(uow: UnitOfWork, task_id: UUID) -> TaskRow:
    """The task of a request that was carried out before; it may have changed since."""
    task = await uow.tasks.find(task_id)
    if task is None:
        raise NotFound("This was done already; since then the task was deleted, or you may not see it any more.")
    return task


def _create(uow: UnitOfWork, task: TaskRow, *assignees: UserRow | None) -> TaskRow:
    """Add the task if its assignee may be assigned."""
    for assignee in assignees:
        _check_assignee(assignee)
    uow.tasks.add(task)
    uow.record(creation(uow, task))
    return task


def _update(
    uow: UnitOfWork,
    values: Mapping[str, Any],
    expected_version: ExpectedVersion,
    found: TaskRow | None,
    *assignees: UserRow | None,
) -> TaskRow:
    """Change the task, whose row is locked, if the actor may and the values fit."""
    task = uow.tasks.existing(found)
    for action in permissions_of(values):
        policy.require(uow.actor, action, task)
    check_version(task.version, expected_version)
    values = with_status(values, task.status)
    if "status" in values:
        check_transition(task.status, values["status"])
    for assignee in assignees:
        if values["assignee_id"] != task.assignee_id:
            _check_assignee(assignee)
    _change(uow, task, values)
    return task


def _change(uow: UnitOfWork, task: TaskRow, values: Mapping[str, Any]) -> None:
    """Change the values that differ, as one version with one event; if none differs, change nothing."""
    changed = {name: value for name, value in values.items() if getattr(task, name) != value}
    if not changed:
        return
    before, from_status, at = _people(task), task.status, uow.time_after(task.updated_at)
    changes = tuple([EDITABLE[name].change for name in changed])
    if "status" in changed:
        changed["completed_at"] = completed_at(changed["status"], at)
    uow.revise(task, **changed)
    uow.record(_event(uow, task, changes, before=before, after=_people(task), from_status=from_status))


def _delete(uow: UnitOfWork, expected_version: ExpectedVersion, found: TaskRow | None) -> UUID:
    """Remove the task, whose row is locked, if the actor may."""
    task = uow.tasks.existing(found)
    policy.require(uow.actor, Action.DELETE_TASK, task)
    check_version(task.version, expected_version)
    task.version += 1
    task.updated_at = uow.time_after(task.updated_at)
    uow.record(_event(uow, task, (TaskChange.DELETED,), before=_people(task), after=None, from_status=task.status))
    uow.tasks.remove(task)
    return task.id


def _assignee_lock(uow: UnitOfWork, assignee_id: UUID | None) -> list[RowLock]:
    """The lock of the new assignee, who must not be disabled before the commit; none if there is no new assignee."""
    return [] if assignee_id is None else [uow.users.lock_of(assignee_id, shared=True)]


def _check_assignee(user: UserRow | None) -> None:
    if user is None or not user.is_active:
        raise Invalid("There is no active user with this id; see assignableUsers.", path=("assigneeId",))


def _people(task: TaskRow) -> People:
    return People(task.owner_id, task.assignee_id)


def scope_of(uow: UnitOfWork, task: TaskRow) -> dict[str, Any]:
    """The facts that the event of a change by the actor has in common with every event of this task.

    They are those of an event that does not change the task. The task's row must be locked.
    """
    people = _people(task)
    return {
        "task_id": task.id,
        "to_status": task.status,
        "before": people,
        "after": people,
        "actor_id": uow.actor.user_id,
        "request_id": uow.request_id,
        "mutation_id": uow.mutation_id,
    }


def _event(
    uow: UnitOfWork,
    task: TaskRow,
    changes: tuple[TaskChange, ...],
    *,
    before: People | None,
    after: People | None,
    from_status: TaskStatus | None,
) -> TaskEvent:
    return TaskEvent(
        task_id=task.id,
        version=task.version,
        changes=changes,
        from_status=from_status,
        to_status=task.status,
        title=task.title,
        before=before,
        after=after,
        actor_id=uow.actor.user_id,
        at=task.updated_at,
        request_id=uow.request_id,
        mutation_id=uow.mutation_id,
    )
