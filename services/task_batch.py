"""The rules that decide which tasks of a batch may be created, and their numbers: those of one new task."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol
from uuid import UUID

from domain.errors import Refusal
from persistence.models import TaskCounterRow, TaskRow
from persistence.row_locks import RowLock
from persistence.unit_of_work import UnitOfWork
from services.task_access import (
    AssigneeProblem,
    assignee_locks,
    assignee_problem,
    project_reads,
    require_creation,
)
from services.task_order import next_place

_ASSIGNEE_PROBLEMS: Final = {
    AssigneeProblem.INACTIVE: "The assignee is not an active user.",
    AssigneeProblem.NO_MEMBER: (
        "The assignee is not a member of the task's project; add the user to it, or assign nobody."
    ),
}


class NewTask(Protocol):
    """What the rules need of a task that is to be created."""

    @property
    def task_id(self) -> UUID: ...
    @property
    def assignee_id(self) -> UUID | None: ...
    @property
    def project_id(self) -> UUID | None: ...


@dataclass(frozen=True, slots=True)
class LockedBatch:
    """Why tasks are refused, by id, and the locked counters of the projects of the others."""

    refused: dict[UUID, str]
    counters: dict[UUID, TaskCounterRow]

    def number(self, uow: UnitOfWork, tasks: Iterable[TaskRow]) -> None:
        """Give the new tasks of projects the next numbers and ranks, in this order."""
        for task in tasks:
            if task.project_id is not None:
                task.number, task.rank = next_place(uow, self.counters[task.project_id])


async def lock_for_creation(uow: UnitOfWork, tasks: Collection[NewTask]) -> LockedBatch:
    """Lock the counters and the assignees, and decide which tasks the actor may create.

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
    return LockedBatch(refused, {project_id: rows[counters[project_id]] for project_id in allowed})


async def refusals(uow: UnitOfWork, tasks: Collection[NewTask]) -> dict[UUID, str]:
    """Why the actor may not create tasks, by id."""
    return _refused(uow, tasks, await _locked(uow, _locks(uow, tasks)))


async def _locked(uow: UnitOfWork, locks: Iterable[RowLock]) -> dict[RowLock, Any]:
    unique = list(dict.fromkeys(locks))
    return dict(zip(unique, await uow.lock(*unique), strict=True))


def _locks(uow: UnitOfWork, tasks: Iterable[NewTask]) -> list[RowLock]:
    return [
        lock
        for task in tasks
        for locks in (project_reads(uow, task.project_id), assignee_locks(uow, task.assignee_id, task.project_id))
        for lock in locks
    ]


def _refused(uow: UnitOfWork, tasks: Iterable[NewTask], rows: Mapping[RowLock, Any]) -> dict[UUID, str]:
    found = {task.task_id: _problem(uow, task, rows) for task in tasks}
    return {task_id: problem for task_id, problem in found.items() if problem is not None}


def _problem(uow: UnitOfWork, task: NewTask, rows: Mapping[RowLock, Any]) -> str | None:
    """Why the task is refused, or None."""
    if task.project_id is not None:
        try:
            require_creation(uow, *(rows[lock] for lock in project_reads(uow, task.project_id)))
        except Refusal as refusal:
            return refusal.message
    if task.assignee_id is None:
        return None
    problem = assignee_problem(*(rows[lock] for lock in assignee_locks(uow, task.assignee_id, task.project_id)))
    return _ASSIGNEE_PROBLEMS[problem] if problem is not None else None
