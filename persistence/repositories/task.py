"""The repository of tasks. It belongs to one actor, so that it cannot load tasks that the actor may not see."""

from collections.abc import Collection, Sequence
from typing import Final
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
from persistence.task_projects import TaskProjects, Unknown
from persistence.write_set import insert_new

_COLUMNS: Final = ", ".join(column_names(TaskRow))
_LOCK_SOME: Final = (
    f"SELECT {_COLUMNS} FROM tasks WHERE project_id = $1 AND number > $2"  # noqa: S608 - of the model
    " ORDER BY number LIMIT $3 FOR NO KEY UPDATE"
)
_TAKEN: Final = "SELECT id FROM tasks WHERE id = ANY($1::uuid[])"
_PROJECT_OF: Final = "SELECT project_id FROM tasks WHERE id = $1"


class TaskRepository:
    """The tasks that one actor may see. A task that was locked by its id may be any: see `services.task_access`."""

    def __init__(self, work: Work, actor: Actor | None, projects: TaskProjects) -> None:
        self._work = work
        self._actor = actor
        self._projects = projects

    def lock_of(self, task_id: UUID, mode: LockMode = LockMode.EXCLUSIVE) -> RowLock:
        """The lock of a task."""
        return RowLock(TaskRow, task_id, mode)

    def known_project(self, task_id: UUID) -> UUID | Unknown | None:
        """The project of the task, if this process has seen it."""
        return self._projects.of(task_id)

    async def project_of(self, task_id: UUID) -> UUID | None:
        """The project of the task; None if it is personal or does not exist."""
        project_id: UUID | None = await self._work.transaction.value(_PROJECT_OF, task_id)
        return project_id

    def note_project(self, task_id: UUID, project_id: UUID | None) -> None:
        """Remember the project of a task, for later changes of it."""
        self._projects.note(task_id, project_id)

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

    async def after_id(self, last: UUID | None, *, at_most: int) -> list[VisibleTaskRow]:
        """Tasks in the order of their ids, after *last*: the fastest scan of all tasks."""
        return await self._rows(reads.task_scan(self._actor, last, at_most=at_most))

    async def taken_among(self, ids: Collection[UUID]) -> set[UUID]:
        """Those of *ids* that a task has, whether or not the actor may see it."""
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
