"""Moves tasks: to another place in the order of a project, to another project, out of one.

A move locks the counter of the project to which the task goes, the task, its subtasks if they move with it, and its
parent. Everything that the move decides is read after that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from domain import policy
from domain.errors import Forbidden, Invalid, NotFound
from domain.events import People, TaskChange
from domain.policy import Action
from domain.task import ExpectedVersion, TaskStatus, check_transition, check_version, completed_at
from persistence.models import TaskCounterRow, TaskRow, VisibleTaskRow
from persistence.repositories.task import TaskPlace
from persistence.unit_of_work import OtherRows, UnitOfWork, repeated_for_other_rows
from services.idempotency import find_earlier_result, task_after_repetition
from services.subtask import count_in, count_status
from services.task_access import (
    ProjectAccess,
    TaskAccess,
    project_access,
    project_reads,
    require_creation,
)
from services.task_event import people_of, task_event
from services.task_order import Neighbour, TooLong, rank_beside, shorten_ranks
from services.task_transfer import Destination, values_of_personal
from services.unset import UNSET, UnsetType

_PROJECT_PATH: Final = ("projectId",)
_CHANGES: Final[Mapping[str, TaskChange]] = {
    "project_id": TaskChange.PROJECT,
    "status": TaskChange.STATUS,
    "rank": TaskChange.RANK,
    "assignee_id": TaskChange.ASSIGNEE,
    "label_ids": TaskChange.LABELS,
    "parent_id": TaskChange.PARENT,
}
"""The changes that an event lists, by column, in its order."""


@dataclass(frozen=True, slots=True)
class Move:
    """Where a task goes. What is UNSET or None stays as it is; `project_id` None makes it a personal task.

    A task that comes to a project without a neighbour is placed at the end.
    """

    status: TaskStatus | UnsetType = UNSET
    neighbour: Neighbour | None = None
    project_id: UUID | UnsetType | None = UNSET

    def target(self, place: TaskPlace) -> UUID | None:
        """The project of a task after the move from a place."""
        return place.project_id if self.project_id is UNSET else self.project_id


@repeated_for_other_rows
async def move_task(
    uow: UnitOfWork, *, task_id: UUID, move: Move, expected_version: ExpectedVersion = None
) -> VisibleTaskRow:
    """Change the status and the place of a task; both together are one version and one event.

    In another project the task gets a new number, and its old key still leads to it. Its subtasks move with it, and a
    subtask leaves its parent. For assignees and labels see `task_transfer`.

    Raises:
        NotFound: the actor sees no such task or project.
        Forbidden: the actor may look at the task but not move it, or may not create tasks in the other project.
        Invalid: the task is personal and has no order, or it cannot become personal.
        InvalidTransition: the board has no such change of the status.
        Conflict: *expected_version* is not the current one.
        IdempotencyMismatch: the key was used for another request.
    """
    request = {"task_id": task_id, "expected_version": expected_version, **_request(move)}
    try:
        async with uow:
            if await find_earlier_result(uow, "move_task", task_id, request):
                return await task_after_repetition(uow, task_id)
            locked = await _lock(uow, task_id, move)
            await _move(locked, move, expected_version)
            await uow.commit()
    except TooLong as rank:
        await shorten_ranks(uow, rank.project_id, rank.number)
        raise OtherRows from rank
    for each in (locked.task, *locked.subtasks):
        uow.tasks.note_place(each.id, TaskPlace(each.project_id, each.parent_id))
    return locked.within.seen(locked.task)


@dataclass(frozen=True, slots=True)
class _Locked:
    """The locked rows. `within` and `counter` are those of the project to which the task goes; None: it is personal."""

    access: TaskAccess
    subtasks: Sequence[TaskRow]
    within: ProjectAccess
    counter: TaskCounterRow | None

    @property
    def uow(self) -> UnitOfWork:
        return self.access.uow

    @property
    def task(self) -> TaskRow:
        return self.access.task

    @property
    def target(self) -> UUID | None:
        """The project to which the task goes."""
        return self.within.project.id if self.within.project is not None else None

    @property
    def is_elsewhere(self) -> bool:
        """Whether the task goes to another project, or out of one."""
        return self.target != self.task.project_id


def _request(move: Move) -> dict[str, object]:
    """What distinguishes the request from others with the same key."""
    request: dict[str, object] = {}
    if move.status is not UNSET:
        request["status"] = move.status
    if move.neighbour is not None:
        request[move.neighbour.side.value] = move.neighbour.task_id
    if move.project_id is not UNSET:
        request["project_id"] = move.project_id
    return request


async def _lock(uow: UnitOfWork, task_id: UUID, move: Move) -> _Locked:
    """Lock everything that the move needs.

    Raises:
        NotFound: the actor sees no such task or project.
        Forbidden: the actor may not create tasks in the other project.
    """
    place = await uow.tasks.place_of(task_id)
    target = move.target(place)
    is_elsewhere = target != place.project_id
    if target is not None and is_elsewhere:
        await uow.projects.get(target, path=_PROJECT_PATH)
        await uow.projects.make_counters([target])
    subtask_ids = await uow.tasks.subtasks_of(task_id) if is_elsewhere else []
    ids = [task_id, *subtask_ids, *(() if place.parent_id is None else (place.parent_id,))]
    own, others = project_reads(uow, place.project_id), project_reads(uow, target)
    counter = () if target is None else (uow.projects.counter_lock(target),)
    rows = iter(await uow.lock(*(uow.tasks.lock_of(each) for each in ids), *own, *others, *counter))
    tasks: list[TaskRow | None] = [next(rows) for _ in ids]
    source, found = [next(rows) for _ in own], [next(rows) for _ in others]
    if tasks[0] is None:
        raise NotFound("Task not found", path=("id",))
    if (tasks[0].project_id, tasks[0].parent_id) != place:
        raise OtherRows
    parent = tasks.pop() if place.parent_id is not None else None
    access = TaskAccess(uow, tasks[0], project_access(*source), parent)
    access.require(Action.READ_TASK)
    if target is not None and is_elsewhere:
        require_creation(uow, *found)
    subtasks = [each for each in tasks[1:] if each is not None and each.parent_id == task_id]
    if is_elsewhere and len(subtasks) != tasks[0].subtask_count:
        raise OtherRows
    return _Locked(access, subtasks, project_access(*found), next(rows, None))


async def _move(locked: _Locked, move: Move, expected_version: ExpectedVersion) -> None:
    """Apply the rules, and change the task, its subtasks and its parent."""
    task = locked.task
    _check_rights(locked, move)
    check_version(task.version, expected_version)
    if move.status is not UNSET:
        check_transition(task.status, move.status)
    _check_place(locked, move)
    values = await _values(locked, move)
    if locked.access.parent is not None:
        _count(locked.uow, locked.access.parent, task, values)
    for each in (task, *locked.subtasks):
        _change(locked.uow, each, values[each.id])


def _check_rights(locked: _Locked, move: Move) -> None:
    """Check that the actor may change the task so; `_lock` has checked the project to which it goes.

    Raises:
        Forbidden: the actor may not.
    """
    access = locked.access
    if move.status is not UNSET:
        access.require(Action.CHANGE_STATUS)
    if move.status is UNSET or move.neighbour is not None or locked.is_elsewhere:
        access.require(Action.UPDATE_TASK)
    personal = People(access.task.owner_id, None)
    if locked.is_elsewhere and locked.target is None and not policy.may(locked.uow.actor, Action.UPDATE_TASK, personal):
        raise Forbidden("Only the owner of a task can make it a personal task.", path=_PROJECT_PATH)


def _check_place(locked: _Locked, move: Move) -> None:
    """Check that the task can be where it goes.

    Raises:
        Invalid: it cannot.
    """
    if locked.target is not None:
        return
    if move.neighbour is not None:
        raise Invalid("Personal tasks have no manual order.", path=(move.neighbour.side.value,))
    if locked.is_elsewhere and locked.task.subtask_count:
        raise Invalid("The task has subtasks, and a personal task has none: delete them first.", path=_PROJECT_PATH)


async def _values(locked: _Locked, move: Move) -> dict[UUID, dict[str, Any]]:
    """The new values of the task and of its subtasks, by their ids."""
    uow, task, counter = locked.uow, locked.task, locked.counter
    tasks = [task, *locked.subtasks]
    found: dict[UUID, dict[str, Any]] = {each.id: {} for each in tasks}
    if locked.is_elsewhere and counter is None:
        found[task.id] = values_of_personal()
    elif locked.is_elsewhere and counter is not None:
        destination = await Destination.read(uow, counter, tasks)
        found = {each.id: destination.values_of(uow, each) for each in tasks}
        found[task.id]["parent_id"] = None
    if move.neighbour is not None and counter is not None:
        current = None if locked.is_elsewhere else task.rank
        rank = await rank_beside(uow, counter, move.neighbour, task_id=task.id, current=current)
        found[task.id]["rank"] = rank
    if move.status is not UNSET:
        found[task.id]["status"] = move.status
    return found


def _count(uow: UnitOfWork, parent: TaskRow, task: TaskRow, values: Mapping[UUID, Mapping[str, Any]]) -> None:
    """Count the changes of a subtask in its parent."""
    if "parent_id" in values[task.id]:
        count_in(uow, parent, task, -1)
    else:
        count_status(uow, parent, task.status, values[task.id].get("status", task.status))


def _change(uow: UnitOfWork, task: TaskRow, values: Mapping[str, Any]) -> None:
    """Change the values that differ, as one version with one event; if none differs, change nothing."""
    changed = {name: value for name, value in values.items() if getattr(task, name) != value}
    if not changed:
        return
    if "project_id" in changed and task.project_id is not None:
        uow.projects.add_old_number(task)
    before, from_status, at = people_of(task), task.status, uow.time_after(task.updated_at)
    if "status" in changed:
        changed["completed_at"] = completed_at(changed["status"], at)
    changes = tuple(change for name, change in _CHANGES.items() if name in changed and _is_listed(name, changed))
    uow.revise(task, **changed)
    uow.record(task_event(uow, task, changes, before=before, after=people_of(task), from_status=from_status))


def _is_listed(name: str, changed: Mapping[str, Any]) -> bool:
    """Whether an event lists a change. In another project the task always has another rank."""
    return name != "rank" or "project_id" not in changed
