"""Restores deleted tasks, as long as they are in the trash."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from domain import policy
from domain.actor import Actor
from domain.errors import AlreadyExists, NotFound
from domain.events import TaskChange
from domain.policy import Action
from domain.task import TaskStatus
from persistence.errors import Duplicate
from persistence.models import TaskCounterRow, TaskRow, TrashRow, VisibleTaskRow
from persistence.repositories.task import TaskPlace
from persistence.unit_of_work import UnitOfWork
from services.idempotency import find_earlier_result, task_after_repetition
from services.subtask import can_have, count_in
from services.task_access import ProjectAccess, project_access, project_reads
from services.task_event import people_of, task_event
from services.task_order import free_rank

_PATH: Final = ("id",)


async def restore_task(uow: UnitOfWork, *, task_id: UUID) -> VisibleTaskRow:
    """Restore a deleted task with its comments and labels, and with the subtasks that were deleted with it.

    It keeps its number and its place. A subtask whose parent is not there, or has no room, becomes a task of its own.

    Raises:
        NotFound: there is no such deleted task, or the actor may not restore it.
        Forbidden: the project of the task is archived.
        AlreadyExists: another task has the id by now.
        IdempotencyMismatch: the key was used for another request.
    """
    async with uow:
        if await find_earlier_result(uow, "restore_task", task_id, {"task_id": task_id}):
            return await task_after_repetition(uow, task_id)
        locked = await _lock(uow, task_id)
        _check_rights(uow.actor, locked)
        task = await _restore(uow, locked)
        try:
            await uow.commit()
        except Duplicate as duplicate:
            raise AlreadyExists("Another task has the id of the deleted one.", path=_PATH) from duplicate
    uow.tasks.note_place(task.id, TaskPlace(task.project_id, task.parent_id))
    return locked.within.seen(task)


@dataclass(frozen=True, slots=True)
class _Locked:
    """The locked rows: the deleted task, the subtasks that were deleted with it, its parent, and its project."""

    row: TrashRow
    subtasks: Sequence[TrashRow]
    parent: TaskRow | None
    within: ProjectAccess
    counter: TaskCounterRow | None


async def _lock(uow: UnitOfWork, task_id: UUID) -> _Locked:
    """Lock everything that the restoration needs.

    Raises:
        NotFound: there is no such deleted task.
    """
    place = await uow.trash.place_of(task_id)
    if place is None:
        raise _not_found()
    ids = [task_id, *await uow.trash.deleted_with(task_id)]
    project = project_reads(uow, place.project_id)
    parent = () if place.parent_id is None else (uow.tasks.lock_of(place.parent_id),)
    counter = () if place.project_id is None else (uow.projects.counter_lock(place.project_id),)
    rows = iter(await uow.lock(*(uow.trash.lock_of(each) for each in ids), *project, *parent, *counter))
    deleted: list[TrashRow | None] = [next(rows) for _ in ids]
    within = project_access(*(next(rows) for _ in project))
    found_parent = next(rows) if parent else None
    if deleted[0] is None:  # at the same time, it was restored or removed for good
        raise _not_found()
    subtasks = [each for each in deleted[1:] if each is not None]
    return _Locked(deleted[0], subtasks, found_parent, within, next(rows, None))


def _check_rights(actor: Actor, locked: _Locked) -> None:
    """Check that the actor may restore the task. A personal task that its owner did not delete stays deleted.

    Raises:
        NotFound: the actor may not restore it, and so does not see it.
        Forbidden: its project is archived.
    """
    row, within = locked.row, locked.within
    if not policy.may(actor, Action.RESTORE_TASK, row, within.role):
        raise _not_found()
    by_owner = row.project_id is not None or row.deleted_by == row.owner_id
    if not by_owner and not policy.may_user(actor, Action.RESTORE_TASK, row.deleted_by):
        raise _not_found()
    if row.project_id is not None:
        role, is_archived = within.role, within.is_archived
        policy.require_project(actor, Action.RESTORE_TASK, role, is_archived=is_archived, path=_PATH)


async def _restore(uow: UnitOfWork, locked: _Locked) -> TaskRow:
    """Put the rows back, each with its event; returns the row of the task."""
    task = uow.trash.take_out(locked.row)
    subtasks = [uow.trash.take_out(each) for each in locked.subtasks]
    task.subtask_count = len(subtasks)
    task.done_subtask_count = sum(each.status is TaskStatus.DONE for each in subtasks)
    if locked.parent is not None and can_have(locked.parent, task):
        count_in(uow, locked.parent, task, 1)
    else:
        task.parent_id = None
    for each in (task, *subtasks):
        if locked.counter is not None and each.rank is not None:
            each.rank = await free_rank(uow, locked.counter, each.rank)
        _add(uow, each)
    return task


def _add(uow: UnitOfWork, task: TaskRow) -> None:
    task.version += 1
    task.updated_at = uow.time_after(task.updated_at)
    uow.tasks.add(task)
    after = people_of(task)
    uow.record(task_event(uow, task, (TaskChange.RESTORED,), before=None, after=after, from_status=None))


def _not_found() -> NotFound:
    return NotFound("There is no such deleted task, or you may not restore it.", path=_PATH)
