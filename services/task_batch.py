"""The rules that decide which tasks of a batch may be created, and their places: those of one new task."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol
from uuid import UUID

from domain import policy
from domain.errors import Invalid, Refusal
from domain.policy import Action
from domain.task import TaskStatus
from persistence.models import TaskCounterRow, TaskRow
from persistence.row_locks import LockMode, RowLock
from persistence.unit_of_work import OtherRows, UnitOfWork
from services.subtask import Parent, check_room, count_in
from services.task_access import (
    AssigneeProblem,
    assignee_locks,
    assignee_problem,
    project_reads,
    require_creation,
)
from services.task_order import place_all

_ASSIGNEE_PROBLEMS: Final = {
    AssigneeProblem.INACTIVE: "The assignee is not an active user.",
    AssigneeProblem.NO_MEMBER: (
        "The assignee is not a member of the task's project; add the user to it, or assign nobody."
    ),
}


_NO_PARENT: Final = (
    "The project has no task with the id of the parent. A parent must be on an earlier line, or be imported before."
)


class NewTask(Protocol):
    """What the rules need of a task that is to be created."""

    @property
    def task_id(self) -> UUID: ...
    @property
    def assignee_id(self) -> UUID | None: ...
    @property
    def project_id(self) -> UUID | None: ...
    @property
    def parent_id(self) -> UUID | None: ...


@dataclass(frozen=True, slots=True)
class LockedBatch:
    """Why tasks are refused, by id, and the locked counters of the projects of the others.

    `parents` are the tasks that existed before and have new subtasks in the batch, by id. They are locked.
    """

    refused: dict[UUID, str]
    counters: dict[UUID, TaskCounterRow]
    parents: dict[UUID, TaskRow]

    def add_to_parents(self, uow: UnitOfWork, tasks: Sequence[TaskRow], existing: Collection[UUID]) -> list[TaskRow]:
        """Count the new subtasks among *tasks* in their parents; returns the tasks without those that are refused.

        A parent is one of the new tasks, or existed before. *existing* are the tasks of the batch that exist.

        Raises:
            OtherRows: another transaction has created a parent since the locks.
        """
        new = {task.id: task for task in tasks}
        for task in tasks:
            if task.parent_id is None:
                continue
            parent = self.parents.get(task.parent_id) or new.get(task.parent_id)
            if parent is None and task.parent_id in existing and not uow.is_repeated:
                raise OtherRows  # if it is not there the next time either, it is in the trash
            problem = _parent_problem(task.project_id, parent)
            if problem is not None:
                self.refused[task.id] = problem
                del new[task.id]
            elif parent is not None:
                _count(uow, parent, task, is_new=task.parent_id not in self.parents)
        return list(new.values())

    async def place(self, uow: UnitOfWork, tasks: Iterable[TaskRow]) -> None:
        """Give the new tasks of projects the next numbers, in this order, and their places in the manual order."""
        by_project: dict[UUID, list[TaskRow]] = {}
        for task in tasks:
            if task.project_id is not None:
                by_project.setdefault(task.project_id, []).append(task)
        for project_id, several in by_project.items():
            await place_all(uow, self.counters[project_id], several)


async def lock_for_creation(uow: UnitOfWork, tasks: Collection[NewTask]) -> LockedBatch:
    """Lock the counters, the parents and the assignees, and decide which tasks the actor may create.

    Two batches for the same project come one after the other. The projects and the memberships are read when all locks
    are held, so a batch that had to wait decides by the current ones.

    Raises:
        ReferenceLost: a project was deleted at this moment.
    """
    projects = {task.project_id for task in tasks if task.project_id is not None}
    counters = {project_id: uow.projects.counter_lock(project_id) for project_id in projects}
    rows = await _locked(uow, [*_locks(uow, tasks), *counters.values()])
    refused = _refused(uow, tasks, rows)
    allowed = {task.project_id for task in tasks if task.project_id is not None and task.task_id not in refused}
    missing = [project_id for project_id in allowed if rows[counters[project_id]] is None]
    if missing:
        await uow.projects.make_counters(missing)
        rows |= await _locked(uow, [counters[project_id] for project_id in missing])
    return LockedBatch(refused, {project_id: rows[counters[project_id]] for project_id in allowed}, _parents(rows))


async def read_for_creation(uow: UnitOfWork, tasks: Collection[NewTask]) -> LockedBatch:
    """Like `lock_for_creation`, for a decision that writes nothing: no row is locked, and no counter is read."""
    locks = list(dict.fromkeys(_locks(uow, tasks)))
    found = await uow.lock(*(lock._replace(mode=LockMode.NONE) for lock in locks))
    rows = dict(zip(locks, found, strict=True))
    return LockedBatch(_refused(uow, tasks, rows), {}, _parents(rows))


def _parents(rows: Mapping[RowLock, Any]) -> dict[UUID, TaskRow]:
    return {lock.id: row for lock, row in rows.items() if lock.model is TaskRow and row is not None}


def _parent_problem(project_id: UUID | None, parent: Parent | None) -> str | None:
    """Why a task cannot be the parent of a new one in a project, or None."""
    if parent is None or project_id is None or parent.project_id != project_id:
        return _NO_PARENT
    try:
        check_room(parent)
    except Invalid as invalid:
        return invalid.message
    return None


def _count(uow: UnitOfWork, parent: TaskRow, task: TaskRow, *, is_new: bool) -> None:
    """Count a new subtask in its parent. A new parent is inserted with its numbers."""
    if not is_new:
        count_in(uow, parent, task, 1)
        return
    parent.subtask_count += 1
    parent.done_subtask_count += task.status is TaskStatus.DONE


async def _locked(uow: UnitOfWork, locks: Iterable[RowLock]) -> dict[RowLock, Any]:
    unique = list(dict.fromkeys(locks))
    return dict(zip(unique, await uow.lock(*unique), strict=True))


def _locks(uow: UnitOfWork, tasks: Iterable[NewTask]) -> list[RowLock]:
    return [
        lock
        for task in tasks
        for locks in (
            project_reads(uow, task.project_id),
            assignee_locks(uow, task.assignee_id, task.project_id),
            () if task.parent_id is None else (uow.tasks.lock_of(task.parent_id),),
        )
        for lock in locks
    ]


def _refused(uow: UnitOfWork, tasks: Iterable[NewTask], rows: Mapping[RowLock, Any]) -> dict[UUID, str]:
    found = {task.task_id: _problem(uow, task, rows) for task in tasks}
    return {task_id: problem for task_id, problem in found.items() if problem is not None}


def _problem(uow: UnitOfWork, task: NewTask, rows: Mapping[RowLock, Any]) -> str | None:
    """Why the task is refused, or None."""
    try:
        if task.project_id is not None:
            require_creation(uow, *(rows[lock] for lock in project_reads(uow, task.project_id)))
        else:
            policy.require_user(uow.actor, Action.CREATE_TASK, uow.actor.user_id)
    except Refusal as refusal:
        return refusal.message
    if task.assignee_id is None:
        return None
    problem = assignee_problem(*(rows[lock] for lock in assignee_locks(uow, task.assignee_id, task.project_id)))
    return _ASSIGNEE_PROBLEMS[problem] if problem is not None else None
