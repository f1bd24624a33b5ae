"""The repository of projects."""

from collections.abc import Collection
from typing import Final
from uuid import UUID

from persistence.models import ProjectKeyRow, ProjectRow, TaskCounterRow, TaskKeyRow, TaskRow
from persistence.models.rows import new_row
from persistence.queries import project as reads
from persistence.repositories.rows import RowRepository
from persistence.row_locks import LockMode, RowLock
from persistence.write_set import insert_new

_OWNER_OF_KEY: Final = "SELECT project_id FROM project_keys WHERE key = $1"
_HAS_TASKS: Final = "SELECT (SELECT number FROM tasks WHERE project_id = $1 ORDER BY number LIMIT 1) IS NOT NULL"
_TASK_COUNTS: Final = "SELECT project_id, count(*) FROM tasks WHERE project_id = ANY($1::uuid[]) GROUP BY project_id"
_MEMBERS_AMONG: Final = "SELECT user_id FROM memberships WHERE project_id = $1 AND user_id = ANY($2::uuid[])"
_COUNT_KEYS: Final = "SELECT count(*) FROM project_keys WHERE project_id = $1"


class ProjectRepository(RowRepository[ProjectRow]):
    """The projects that one actor may see."""

    model, name, by_id = ProjectRow, "Project", staticmethod(reads.project)

    async def owner_of_key(self, key: str) -> UUID | None:
        """The project that has or had this key."""
        owner: UUID | None = await self._work.transaction.value(_OWNER_OF_KEY, key)
        return owner

    async def count_keys(self, project_id: UUID) -> int:
        """The number of keys that the project has and had."""
        return int(await self._work.transaction.value(_COUNT_KEYS, project_id))

    async def has_tasks(self, project_id: UUID) -> bool:
        """Whether there are tasks in the project."""
        return bool(await self._work.transaction.value(_HAS_TASKS, project_id))

    async def task_counts(self, project_ids: Collection[UUID]) -> dict[UUID, int]:
        """The number of tasks of each project, by its id; projects without tasks are left out."""
        return {row[0]: row[1] for row in await self._work.transaction.fetch(_TASK_COUNTS, list(project_ids))}

    def counter_lock(self, project_id: UUID) -> RowLock:
        """The lock of the row with the last number of the project's tasks."""
        return RowLock(TaskCounterRow, project_id, LockMode.IN_BATCH)

    async def make_counters(self, project_ids: Collection[UUID]) -> None:
        """Make the rows with the last number of projects now, where there is none.

        Raises:
            ReferenceLost: a project was deleted.
        """
        await self._work.transaction.begin()
        rows = [new_row(TaskCounterRow, id=project_id, last=0, last_rank=0) for project_id in sorted(project_ids)]
        await insert_new(self._work.transaction, TaskCounterRow.__table__, rows)

    def add_counter(self, project: ProjectRow) -> None:
        """Count the first task of a project."""
        self._work.write_set.insert(new_row(TaskCounterRow, id=project.id, last=1, last_rank=1))

    def add_old_number(self, task: TaskRow) -> None:
        """Let the number that the task has in its project lead to it after it has moved."""
        self._work.write_set.insert(
            new_row(TaskKeyRow, project_id=task.project_id, number=task.number, task_id=task.id)
        )

    async def members_among(self, project_id: UUID, user_ids: Collection[UUID]) -> set[UUID]:
        """Those of the users who are members of the project."""
        found = await self._work.transaction.fetch(_MEMBERS_AMONG, project_id, list(user_ids))
        return {row[0] for row in found}

    def add_key(self, project: ProjectRow) -> None:
        """Reserve the project's key."""
        self._work.write_set.insert(new_row(ProjectKeyRow, key=project.key, project_id=project.id))
