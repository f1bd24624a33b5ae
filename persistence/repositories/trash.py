"""The repository of deleted tasks that can be restored."""

from datetime import datetime
from typing import Final
from uuid import UUID

from domain.actor import Actor
from persistence.models import TaskRow, TrashRow
from persistence.models.rows import column_names, new_row
from persistence.repositories.rows import Work
from persistence.repositories.task import TaskPlace
from persistence.row_locks import LockMode, RowLock

_COLUMNS: Final = column_names(TaskRow)
_PLACE_OF: Final = "SELECT project_id, parent_id FROM trash WHERE id = $1"
_DELETED_WITH: Final = "SELECT id FROM trash WHERE root_id = $1 AND id <> $1"
_REMOVE_OLD: Final = (
    "WITH old AS (SELECT id FROM trash WHERE deleted_at <= $1 ORDER BY deleted_at LIMIT $2 FOR UPDATE SKIP LOCKED),"
    " removed AS (DELETE FROM trash USING old WHERE trash.id = old.id RETURNING 1) SELECT count(*) FROM removed"
)
_REMOVE_SOME: Final = (
    "WITH chosen AS (SELECT id FROM trash WHERE project_id = $1 LIMIT $2 FOR UPDATE),"
    " removed AS (DELETE FROM trash USING chosen WHERE trash.id = chosen.id RETURNING 1) SELECT count(*) FROM removed"
)


class TrashRepository:
    """The deleted tasks. *is_kept*: whether deleted tasks are put here. The policy decides who may restore one."""

    def __init__(self, work: Work, actor: Actor | None, *, is_kept: bool) -> None:
        self._work = work
        self._actor = actor
        self.is_kept = is_kept

    def lock_of(self, task_id: UUID) -> RowLock:
        """The lock of a deleted task."""
        return RowLock(TrashRow, task_id, LockMode.EXCLUSIVE)

    def add(self, task: TaskRow, root_id: UUID) -> None:
        """Put a task into the trash that the actor deletes, at the time of the database's clock."""
        values = {name: getattr(task, name) for name in _COLUMNS}
        deleted_by = self._actor.user_id if self._actor is not None else None
        row = new_row(TrashRow, **values, root_id=root_id, deleted_at=self._work.stamp, deleted_by=deleted_by)
        self._work.write_set.insert(row)

    def take_out(self, row: TrashRow) -> TaskRow:
        """Remove a locked row; returns the row of the task as it was deleted."""
        self._work.write_set.delete(row)
        return new_row(TaskRow, **{name: getattr(row, name) for name in _COLUMNS})

    async def place_of(self, task_id: UUID) -> TaskPlace | None:
        """The place that a deleted task had; None if there is no such task."""
        found = await self._work.transaction.fetch(_PLACE_OF, task_id)
        return TaskPlace(*found[0]) if found else None

    async def deleted_with(self, task_id: UUID) -> list[UUID]:
        """The ids of the subtasks that were deleted with a task."""
        return [row[0] for row in await self._work.transaction.fetch(_DELETED_WITH, task_id)]

    async def remove_older(self, than: datetime, *, at_most: int) -> int:
        """Remove tasks for good that were deleted before a time; returns how many."""
        await self._work.transaction.begin()
        return int(await self._work.transaction.written_value(_REMOVE_OLD, than, at_most))

    async def remove_some_of(self, project_id: UUID, *, at_most: int) -> int:
        """Remove deleted tasks of a project for good; returns how many."""
        await self._work.transaction.begin()
        return int(await self._work.transaction.written_value(_REMOVE_SOME, project_id, at_most))
