"""The repository of tasks. It belongs to one actor, so that it cannot load tasks that the actor may not see."""

from collections.abc import Collection, Sequence
from uuid import UUID

from domain.policy import Action, may
from persistence.models import TaskRow
from persistence.queries import task as reads
from persistence.queries.query import Query
from persistence.queries.task_list import TaskFilter
from persistence.repositories.rows import RowRepository, rows_of
from persistence.write_set import insert_new


class TaskRepository(RowRepository[TaskRow]):
    """The tasks that one actor may see."""

    model, name, by_id = TaskRow, "Task", staticmethod(reads.task)

    def is_visible(self, row: TaskRow) -> bool:
        """Whether the actor may see the task."""
        return self._actor is not None and may(self._actor, Action.READ_TASK, row)

    async def find_many(self, ids: Collection[UUID]) -> dict[UUID, TaskRow]:
        """The tasks among *ids* that the actor may see, by id."""
        return {row.id: row for row in await self._rows(reads.tasks(self._actor, ids))}

    async def slice(self, *, skip: int, limit: int) -> list[TaskRow]:
        """Tasks by age, the oldest first, from an offset, for clients without cursors.

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

    async def after_id(self, last: UUID | None, *, at_most: int) -> list[TaskRow]:
        """Tasks in the order of their ids, after *last*: the fastest scan of all tasks."""
        return await self._rows(reads.task_scan(self._actor, last, at_most=at_most))

    async def add_many(self, rows: Sequence[TaskRow]) -> set[UUID]:
        """Insert new tasks now, except those whose id is taken; returns the ids of the inserted ones."""
        await self._work.transaction.begin()
        return {row[0] for row in await insert_new(self._work.transaction, TaskRow.__table__, rows)}

    async def _rows(self, read: Query) -> list[TaskRow]:
        return await rows_of(self._work.transaction, TaskRow, read)
