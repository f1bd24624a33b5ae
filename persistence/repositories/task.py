"""The repository of tasks. It belongs to one actor, so that it cannot load tasks that the actor may not see.

It also remembers the places of tasks that the process has changed, so that a change locks the right rows without a
search for them.
"""

from collections import OrderedDict
from collections.abc import Collection, Sequence
from typing import Final, NamedTuple
from uuid import UUID

from domain.actor import Actor
from domain.errors import NotFound
from persistence.models import TaskRow, VisibleTaskRow
from persistence.models.rows import column_names, row_factory
from persistence.queries import task as reads
from persistence.queries.query import Query
from persistence.queries.task_list import TaskFilter
from persistence.repositories.rows import Work, rows_of
from persistence.row_locks import LockMode, RowLock
from persistence.write_set import insert_new

_MAX_TASKS: Final = 10_000
_COLUMNS: Final = ", ".join(column_names(TaskRow))
_LOCK_SOME: Final = (
    f"SELECT {_COLUMNS} FROM tasks WHERE project_id = $1 AND number > $2"  # noqa: S608 - of the model
    " ORDER BY number LIMIT $3 FOR NO KEY UPDATE"
)
_TAKEN: Final = (
    "SELECT id FROM tasks WHERE id = ANY($1::uuid[]) UNION ALL SELECT id FROM trash WHERE id = ANY($1::uuid[])"
)
_PLACE_OF: Final = "SELECT project_id, parent_id FROM tasks WHERE id = $1"
_SUBTASKS_OF: Final = "SELECT id FROM tasks WHERE parent_id = $1 ORDER BY rank, id"
_RANK_IN: Final = "SELECT rank FROM tasks WHERE id = $1 AND project_id = $2"
_HAS_RANK: Final = "SELECT EXISTS (SELECT FROM tasks WHERE project_id = $1 AND rank = $2)"
_RANKS_AMONG: Final = "SELECT DISTINCT rank FROM tasks WHERE project_id = $1 AND rank = ANY($2::text[])"
_NEXT: Final = "SELECT min(rank) FROM tasks WHERE project_id = $1 AND rank > $2 AND id IS DISTINCT FROM $3"
_PREVIOUS: Final = "SELECT max(rank) FROM tasks WHERE project_id = $1 AND rank < $2 AND id <> $3"
_BETWEEN: Final = "SELECT id FROM tasks WHERE project_id = $1 AND rank > $2 AND rank < $3"


class TaskPlace(NamedTuple):
    """The project of a task, and the task of which it is a subtask; a personal task has neither."""

    project_id: UUID | None = None
    parent_id: UUID | None = None


class TaskPlaces:
    """The last known places of tasks.

    A place is only a hint: the code that locks the task and the other rows compares them.
    """

    def __init__(self) -> None:
        self._places: OrderedDict[UUID, TaskPlace] = OrderedDict()

    def of(self, task_id: UUID) -> TaskPlace | None:
        """The place of a task; None if this process has not seen the task."""
        return self._places.get(task_id)

    def note(self, task_id: UUID, place: TaskPlace) -> None:
        """Remember the place of a task."""
        self._places[task_id] = place
        self._places.move_to_end(task_id)
        if len(self._places) > _MAX_TASKS:
            self._places.popitem(last=False)


class TaskRepository:
    """The tasks that one actor may see. A task that was locked by its id may be any: see `services.task_access`."""

    def __init__(self, work: Work, actor: Actor | None, places: TaskPlaces) -> None:
        self._work = work
        self._actor = actor
        self._places = places

    def lock_of(self, task_id: UUID, mode: LockMode = LockMode.EXCLUSIVE) -> RowLock:
        """The lock of a task."""
        return RowLock(TaskRow, task_id, mode)

    def known_place(self, task_id: UUID) -> TaskPlace | None:
        """The place of the task, if this process has seen it."""
        return self._places.of(task_id)

    async def place_of(self, task_id: UUID) -> TaskPlace:
        """The place of the task; that of a personal task if it does not exist."""
        found = await self._work.transaction.fetch(_PLACE_OF, task_id)
        return TaskPlace(*found[0]) if found else TaskPlace()

    def note_place(self, task_id: UUID, place: TaskPlace) -> None:
        """Remember the place of a task, for later changes of it."""
        self._places.note(task_id, place)

    async def subtasks_of(self, task_id: UUID) -> list[UUID]:
        """The ids of the subtasks of a task."""
        return [row[0] for row in await self._work.transaction.fetch(_SUBTASKS_OF, task_id)]

    async def rank_in(self, project_id: UUID, task_id: UUID) -> str | None:
        """The rank of a task; None if the project has no such task."""
        rank: str | None = await self._work.transaction.value(_RANK_IN, task_id, project_id)
        return rank

    async def has_rank(self, project_id: UUID, rank: str) -> bool:
        """Whether a task of the project has this rank."""
        return bool(await self._work.transaction.value(_HAS_RANK, project_id, rank))

    async def ranks_among(self, project_id: UUID, ranks: Collection[str]) -> set[str]:
        """Those of *ranks* that tasks of the project have."""
        return {rank for (rank,) in await self._work.transaction.fetch(_RANKS_AMONG, project_id, list(ranks))}

    async def next_rank(self, project_id: UUID, rank: str, *, beside: UUID | None = None) -> str | None:
        """The rank that follows one in the order of a project, without that of the task *beside*; None at the end."""
        found: str | None = await self._work.transaction.value(_NEXT, project_id, rank, beside)
        return found

    async def previous_rank(self, project_id: UUID, rank: str, *, beside: UUID) -> str | None:
        """The rank in front of one, without that of the task *beside*; None at the beginning."""
        found: str | None = await self._work.transaction.value(_PREVIOUS, project_id, rank, beside)
        return found

    async def ranked_between(self, project_id: UUID, lower: str, upper: str) -> list[UUID]:
        """The ids of the tasks of a project whose ranks are between two."""
        return [row[0] for row in await self._work.transaction.fetch(_BETWEEN, project_id, lower, upper)]

    async def lock_some_of(self, project_id: UUID, *, behind: int, at_most: int) -> list[TaskRow]:
        """Lock tasks of a locked project, those with the smallest numbers behind this one."""
        make, fetch = row_factory(TaskRow), self._work.transaction.fetch
        return [make(values) for values in await fetch(_LOCK_SOME, project_id, behind, at_most)]

    def add(self, row: TaskRow) -> None:
        """Add a new task."""
        self._work.write_set.insert(row)

    def remove(self, row: TaskRow) -> None:
        """Delete a locked task."""
        self._work.write_set.delete(row)

    async def find(self, task_id: UUID) -> VisibleTaskRow | None:
        """The task, or None if the actor may see no such task."""
        rows = await self._rows(reads.task(self._actor, task_id))
        return rows[0] if rows else None

    async def get(self, task_id: UUID, *, path: tuple[str, ...] = ("id",)) -> VisibleTaskRow:
        """The task; *path* is the input field of the error.

        Raises:
            NotFound: the actor may see no such task.
        """
        task = await self.find(task_id)
        if task is None:
            raise NotFound("Task not found", path=path)
        return task

    async def find_many(self, ids: Collection[UUID]) -> dict[UUID, VisibleTaskRow]:
        """The tasks among *ids* that the actor may see, by id."""
        return {row.id: row for row in await self._rows(reads.tasks(self._actor, ids))}

    async def slice(self, *, skip: int, limit: int) -> list[VisibleTaskRow]:
        """The `listed` tasks by age, the oldest first, from an offset, for clients without cursors.

        Raises:
            BadRequest: a number is negative.
        """
        return await self._rows(reads.task_slice(self._actor, skip=skip, limit=limit))

    async def count(self, wanted: TaskFilter) -> int:
        """The number of tasks that match.

        Raises:
            BadRequest: the filter breaks a limit.
        """
        return await self._work.transaction.number(reads.task_count(self._actor, wanted))

    async def after_id(self, last: UUID | None, *, of_subtasks: bool, at_most: int) -> list[VisibleTaskRow]:
        """Subtasks, or all other tasks, in the order of their ids, after *last*: the fastest scan of all tasks."""
        return await self._rows(reads.task_scan(self._actor, last, of_subtasks=of_subtasks, at_most=at_most))

    async def taken_among(self, ids: Collection[UUID]) -> set[UUID]:
        """Those of *ids* that a task has, also a deleted one, whether or not the actor may see it."""
        return {task_id for (task_id,) in await self._work.transaction.fetch(_TAKEN, list(ids))}

    async def add_many(self, rows: Sequence[TaskRow]) -> set[UUID]:
        """Insert new tasks now, except those whose id is taken; returns the ids of the inserted ones.

        Raises:
            ReferenceLost: the project of a task was deleted.
        """
        await self._work.transaction.begin()
        return {row[0] for row in await insert_new(self._work.transaction, TaskRow.__table__, rows)}

    async def _rows(self, read: Query) -> list[VisibleTaskRow]:
        return await rows_of(self._work.transaction, VisibleTaskRow, read)
