"""Use cases of tasks: one function, one transaction."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from domain.policy import Action
from domain.task import (
    ExpectedVersion,
    TaskStatus,
    check_transition,
    check_version,
    completed_at,
)
from persistence.models import TaskRow, VisibleTaskRow
from persistence.queries.task_list import EVERYTHING, TaskFilter
from persistence.row_locks import RowLock
from persistence.unit_of_work import OtherRows, UnitOfWork, repeated_for_other_rows
from services.idempotency import find_earlier_result, task_after_repetition
from services.subtask import count_in, count_status
from services.task_access import TaskAccess, check_references, reference_reads, write_to_task
from services.task_edit import EDITABLE, STATUS_FIELDS, TaskEdit, permissions_of, with_status
from services.task_event import deletion, people_of, task_event
from services.unset import UnsetType


async def slice_tasks(uow: UnitOfWork, *, skip: int, limit: int) -> list[VisibleTaskRow]:
    """Tasks by age, the oldest first, from an offset: for clients that know no cursors and no projects.

    Of the tasks in projects it returns those that the actor owns or is assigned to.
    """
    async with uow:
        return await uow.tasks.slice(skip=skip, limit=limit)


async def count_tasks(uow: UnitOfWork, *, wanted: TaskFilter = EVERYTHING) -> int:
    """How many tasks of these the actor sees."""
    async with uow:
        return await uow.tasks.count(wanted)


@repeated_for_other_rows
async def update_task(
    uow: UnitOfWork, *, task_id: UUID, edit: TaskEdit, expected_version: ExpectedVersion = None
) -> VisibleTaskRow:
    """Change any of a task's fields; all of them together are one version and one event.

    Setting a field to its current value changes nothing and records no event. A request that is repeated under the key
    of its unit of work changes nothing either; it returns the current task.

    Raises:
        NotFound: if the actor sees no such task.
        Forbidden: if the actor may look at it but not change this of it.
        Invalid: if a value breaks a limit, or the new assignee is not an active user, or no member of the project.
        InvalidTransition: if the board has no such move.
        Conflict: if *expected_version* is not the current one.
        IdempotencyMismatch: if the key was used for another request.
    """
    values = edit.checked()
    async with uow:
        request = {"task_id": task_id, "expected_version": expected_version, **values}
        if await find_earlier_result(uow, "update_task", task_id, request):
            return await task_after_repetition(uow, task_id)
        locks = partial(reference_reads, uow, values)
        decide = partial(_update, values, expected_version)
        counts = not STATUS_FIELDS.isdisjoint(values)
        return await write_to_task(uow, task_id, decide, locks=locks, counts_in_parent=counts)


async def update_task_status(
    uow: UnitOfWork, *, task_id: UUID, status: TaskStatus, expected_version: ExpectedVersion = None
) -> VisibleTaskRow:
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
) -> VisibleTaskRow:
    """Assign or unassign a task; the owner stays. UNSET leaves the assignee unchanged.

    Raises:
        NotFound: if the actor sees no such task.
        Forbidden: if the actor may look at it but not assign it.
        Invalid: if the assignee is not an active user, or no member of the project.
        Conflict: if *expected_version* is not the current one.
        IdempotencyMismatch: if the key was used for another request.
    """
    edit = TaskEdit(assignee_id=assignee_id)
    return await update_task(uow, task_id=task_id, edit=edit, expected_version=expected_version)


@repeated_for_other_rows
async def delete_task(uow: UnitOfWork, *, task_id: UUID, expected_version: ExpectedVersion = None) -> UUID:
    """Delete a task with its subtasks; returns its id. They can be restored, see `trash`.

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
        decide = partial(_delete, expected_version)
        # Most tasks have no subtasks, and a wrong guess is noticed: without a key it costs no more than the read.
        subtasks = await uow.tasks.subtasks_of(task_id) if uow.is_alone or uow.is_repeated else []
        locks = partial(_locks_of, [uow.tasks.lock_of(each) for each in subtasks])
        return await write_to_task(uow, task_id, decide, locks=locks, counts_in_parent=True)


def _locks_of(locks: Sequence[RowLock], _: UUID | None) -> Sequence[RowLock]:
    """These locks, whatever the project is."""
    return locks


def _update(
    values: Mapping[str, Any], expected_version: ExpectedVersion, access: TaskAccess, *references: Any
) -> VisibleTaskRow:
    """Change the task if the actor may and the values fit."""
    task = access.task
    for action in permissions_of(values):
        access.require(action)
    check_version(task.version, expected_version)
    values = with_status(values, task.status)
    if "status" in values:
        check_transition(task.status, values["status"])
    check_references(values, task.project_id, references, assignee_id=task.assignee_id)
    _change(access, values)
    return access.seen


def _change(access: TaskAccess, values: Mapping[str, Any]) -> None:
    """Change the values that differ, as one version with one event; if none differs, change nothing."""
    uow, task = access.uow, access.task
    changed = {name: value for name, value in values.items() if getattr(task, name) != value}
    if not changed:
        return
    before, from_status, at = people_of(task), task.status, uow.time_after(task.updated_at)
    changes = tuple([EDITABLE[name].change for name in changed])
    if "status" in changed:
        changed["completed_at"] = completed_at(changed["status"], at)
        if access.parent is not None:
            count_status(uow, access.parent, from_status, changed["status"])
    uow.revise(task, **changed)
    uow.record(task_event(uow, task, changes, before=before, after=people_of(task), from_status=from_status))


def _delete(expected_version: ExpectedVersion, access: TaskAccess, *found: TaskRow | None) -> UUID:
    """Delete the task and its subtasks if the actor may."""
    access.require(Action.DELETE_TASK)
    check_version(access.task.version, expected_version)
    subtasks = [each for each in found if each is not None and each.parent_id == access.task.id]
    if len(subtasks) != access.task.subtask_count:
        raise OtherRows
    if access.parent is not None:
        count_in(access.uow, access.parent, access.task, -1)
    for task in (access.task, *subtasks):
        remove_task(access.uow, task)
        if access.uow.trash.is_kept:
            access.uow.trash.add(task, access.task.id)
    return access.task.id


def remove_task(uow: UnitOfWork, task: TaskRow) -> None:
    """Remove a locked task, with the event of its deletion."""
    task.version += 1
    task.updated_at = uow.time_after(task.updated_at)
    uow.record(deletion(uow, task))
    uow.tasks.remove(task)
