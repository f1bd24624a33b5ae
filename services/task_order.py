"""The manual order of a project's tasks: their ranks.

Everything that gives a task a rank has the lock of the project's counter. So the ranks of a project change one after
the other, and all clients see the same order.
"""

from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from domain.rank import LONG, number_of, rank_before, rank_between, spread, whole
from persistence.models import TaskCounterRow, TaskRow
from persistence.unit_of_work import UnitOfWork
from services.project_event import ranks_changed


class Side(StrEnum):
    """The side of another task on which a task is placed."""

    AFTER = "after"
    BEFORE = "before"


class Neighbour(NamedTuple):
    """The task beside which another one is placed."""

    task_id: UUID
    side: Side


class NewPlace(NamedTuple):
    """The number and the rank of a task that comes to a project."""

    number: int
    rank: str


class TooLong(Exception):
    """The rank would be too long: the ranks of the project with this whole number must be replaced first."""

    def __init__(self, project_id: UUID, number: int) -> None:
        super().__init__("the rank is too long")
        self.project_id = project_id
        self.number = number


def next_place(uow: UnitOfWork, counter: TaskCounterRow) -> NewPlace:
    """The next number, and a rank after all others, in the project of the locked counter."""
    uow.change(counter, last=counter.last + 1, last_rank=_next_rank(counter))
    return NewPlace(counter.last, whole(counter.last_rank))


async def rank_beside(
    uow: UnitOfWork, counter: TaskCounterRow, neighbour: Neighbour, *, task_id: UUID, current: str | None
) -> str:
    """The rank of a task beside another one, in the project of the locked counter.

    It is the *current* one if the task is there already. If the project has no such neighbour any more, it is a rank
    after all others.

    Raises:
        TooLong: there is no short rank at this place.
    """
    if neighbour.task_id == task_id and current is not None:
        return current
    beside = await uow.tasks.rank_in(counter.id, neighbour.task_id)
    if beside is None:
        return _last(uow, counter)
    if neighbour.side is Side.AFTER:
        lower: str | None = beside
        upper = await uow.tasks.next_rank(counter.id, beside, beside=task_id)
    else:
        lower = await uow.tasks.previous_rank(counter.id, beside, beside=task_id)
        upper = beside
    if current is not None and (lower or "") < current and (upper is None or current < upper):
        return current
    return _between(uow, counter, lower, upper)


async def place_all(uow: UnitOfWork, counter: TaskCounterRow, tasks: Sequence[TaskRow]) -> None:
    """Give new tasks the next numbers of the project of the locked counter, in this order, and their ranks.

    A task keeps the rank that it has, or gets one behind it if another task has it. A task without a rank is the last.
    """
    given = {task.rank for task in tasks if task.rank is not None}
    taken = await uow.tasks.ranks_among(counter.id, given) if given else set()
    last_behind: dict[str, str] = {}
    for task in tasks:
        if task.rank is None:
            task.number, task.rank = next_place(uow, counter)
        else:
            rank = task.rank
            if rank in taken:
                rank = await _rank_behind(uow, counter, last_behind.get(rank, rank), given | taken)
                last_behind[task.rank] = rank
            uow.change(counter, last=counter.last + 1, last_rank=max(counter.last_rank, number_of(rank)))
            task.number, task.rank = counter.last, rank
        taken.add(task.rank)


async def _rank_behind(uow: UnitOfWork, counter: TaskCounterRow, rank: str, others: Collection[str]) -> str:
    """A rank directly behind one, before all *others* that follow it and before the tasks of the project.

    It is before the next whole number, too: other imports may bring a task with that rank.
    """
    stored = await uow.tasks.next_rank(counter.id, rank)
    following = [each for each in (stored, *others) if each is not None and each > rank]
    try:
        return _between(uow, counter, rank, min([*following, whole(number_of(rank) + 1)]))
    except TooLong:
        return _last(uow, counter)


async def free_rank(uow: UnitOfWork, counter: TaskCounterRow, rank: str) -> str:
    """The rank itself or, if another task of the project has it by now, one behind that task."""
    if not await uow.tasks.has_rank(counter.id, rank):
        return rank
    try:
        return _between(uow, counter, rank, await uow.tasks.next_rank(counter.id, rank))
    except TooLong:
        return _last(uow, counter)


def _between(uow: UnitOfWork, counter: TaskCounterRow, lower: str | None, upper: str | None) -> str:
    if upper is None:
        return _last(uow, counter)
    if lower is None:
        return rank_before(upper)
    rank = rank_between(lower, upper)
    if len(rank) >= LONG:
        raise TooLong(counter.id, number_of(rank))
    return rank


def _last(uow: UnitOfWork, counter: TaskCounterRow) -> str:
    uow.change(counter, last_rank=_next_rank(counter))
    return whole(counter.last_rank)


def _next_rank(counter: TaskCounterRow) -> int:
    """The next whole number. Tasks that existed before the manual order have ranks that are equal to their numbers."""
    return max(counter.last, counter.last_rank) + 1


async def shorten_ranks(uow: UnitOfWork, project_id: UUID, number: int) -> None:
    """Replace the ranks with this whole number by short ones, in a separate transaction. The order stays the same."""
    async with uow:
        await uow.lock(uow.projects.counter_lock(project_id))
        found = await uow.tasks.ranked_between(project_id, whole(number), whole(number + 1))
        locked: list[TaskRow | None] = await uow.lock(*(uow.tasks.lock_of(task_id) for task_id in found))
        # Their ranks do not change while the counter is locked; but a task can be deleted or moved away.
        tasks = [task for task in locked if task is not None and task.project_id == project_id]
        tasks.sort(key=lambda task: (task.rank, task.id))
        for task, rank in zip(tasks, spread(number, len(tasks)), strict=True):
            uow.change(task, rank=rank)
        uow.record(ranks_changed(uow, project_id))
        await uow.commit()
