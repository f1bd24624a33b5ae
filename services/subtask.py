"""Subtasks: tasks of a project that belong to another task of it, with one level.

A task stores the number of its subtasks. A change of that number, or of the number of those that are DONE, locks the
parent, and does not change its version.
"""

from collections.abc import Sequence
from functools import partial
from typing import Protocol
from uuid import UUID

from domain.errors import Invalid, NotFound
from domain.events import TaskChange
from domain.policy import Action
from domain.task import MAX_SUBTASKS, ExpectedVersion, TaskStatus, check_version
from persistence.models import TaskRow, VisibleTaskRow
from persistence.repositories.task import TaskPlace
from persistence.row_locks import LockMode, RowLock
from persistence.unit_of_work import UnitOfWork, repeated_for_other_rows
from services.idempotency import find_earlier_result, task_after_repetition
from services.task_access import TaskAccess, write_to_task
from services.task_event import people_of, task_event

_PARENT_PATH = ("parentId",)


@repeated_for_other_rows
async def set_parent(
    uow: UnitOfWork, *, task_id: UUID, parent_id: UUID | None, expected_version: ExpectedVersion = None
) -> VisibleTaskRow:
    """Make a task a subtask of another task of its project; with None it is no subtask any more.

    Raises:
        NotFound: the actor sees no such task, or its project has no such parent.
        Forbidden: the actor may look at the task but not change it.
        Invalid: the task has subtasks, or the parent is a subtask or has too many of them.
        Conflict: *expected_version* is not the current one.
        IdempotencyMismatch: the key was used for another request.
    """
    if parent_id == task_id:
        raise Invalid("A task cannot be its own subtask.", path=_PARENT_PATH)
    async with uow:
        request: dict[str, object] = {"task_id": task_id, "parent_id": parent_id, "expected_version": expected_version}
        if await find_earlier_result(uow, "set_task_parent", task_id, request):
            return await task_after_repetition(uow, task_id)

        def locks(_: UUID | None) -> Sequence[RowLock]:
            return () if parent_id is None else (uow.tasks.lock_of(parent_id, LockMode.IN_BATCH),)

        decide = partial(_set_parent, parent_id, expected_version)
        return await write_to_task(uow, task_id, decide, locks=locks, counts_in_parent=True)


def check_parent(task: TaskRow, parent: TaskRow | None) -> TaskRow:
    """The parent of a task, if it can have this subtask.

    Raises:
        NotFound: the project of the task has no such parent.
        Invalid: the parent is a subtask, or has too many of them.
    """
    if parent is None or parent.project_id != task.project_id or task.project_id is None:
        raise NotFound("Task not found", path=_PARENT_PATH)
    check_room(parent)
    return parent


class Parent(Protocol):
    """What decides whether a task can have another subtask."""

    @property
    def project_id(self) -> UUID | None: ...
    @property
    def parent_id(self) -> UUID | None: ...
    @property
    def subtask_count(self) -> int: ...


def check_room(parent: Parent) -> None:
    """Check that a task can have another subtask.

    Raises:
        Invalid: it is a subtask, or has too many of them.
    """
    if parent.parent_id is not None:
        raise Invalid("The parent is a subtask, and subtasks have no subtasks.", path=_PARENT_PATH)
    if parent.subtask_count >= MAX_SUBTASKS:
        raise Invalid(f"The parent has {parent.subtask_count} subtasks, the maximum.", path=_PARENT_PATH)


def can_have(parent: TaskRow, task: TaskRow) -> bool:
    """Whether the parent can have this subtask, see `check_parent`."""
    try:
        check_parent(task, parent)
    except (Invalid, NotFound):
        return False
    return True


def count_in(uow: UnitOfWork, parent: TaskRow, task: TaskRow, difference: int) -> None:
    """Count a subtask in its locked parent, or with -1 count it no longer."""
    done = difference if task.status is TaskStatus.DONE else 0
    uow.change(
        parent,
        subtask_count=parent.subtask_count + difference,
        done_subtask_count=parent.done_subtask_count + done,
    )


def count_status(uow: UnitOfWork, parent: TaskRow, before: TaskStatus, after: TaskStatus) -> None:
    """Count a change of a subtask's status in its locked parent."""
    difference = (after is TaskStatus.DONE) - (before is TaskStatus.DONE)
    if difference:
        uow.change(parent, done_subtask_count=parent.done_subtask_count + difference)


def _set_parent(
    parent_id: UUID | None, expected_version: ExpectedVersion, access: TaskAccess, *found: TaskRow | None
) -> VisibleTaskRow:
    """Change the parent if the actor may, and if it can have the subtask."""
    uow, task = access.uow, access.task
    access.require(Action.UPDATE_TASK)
    check_version(task.version, expected_version)
    if task.parent_id == parent_id:
        return access.seen
    if parent_id is not None:
        _check_subtask(task)
        count_in(uow, check_parent(task, found[0]), task, 1)
    if access.parent is not None:
        count_in(uow, access.parent, task, -1)
    people, status = people_of(task), task.status
    uow.revise(task, parent_id=parent_id)
    uow.record(task_event(uow, task, (TaskChange.PARENT,), before=people, after=people, from_status=status))
    uow.tasks.note_place(task.id, TaskPlace(task.project_id, parent_id))
    return access.seen


def _check_subtask(task: TaskRow) -> None:
    """Check that a task can be a subtask.

    Raises:
        Invalid: it is personal, or has subtasks.
    """
    if task.project_id is None:
        raise Invalid("A personal task is no subtask: move it to a project first.", path=("id",))
    if task.subtask_count:
        raise Invalid("The task has subtasks, so it cannot be a subtask itself.", path=("id",))
