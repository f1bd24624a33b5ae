"""The repository of tasks. It belongs to one actor, so that it cannot load tasks that the actor may not see."""

from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import inspect

from persistence.models import TaskRow
from persistence.queries import task as reads
from persistence.queries.query import Query
from persistence.queries.task_list import TaskFilter
from persistence.repositories.rows import RowRepository, rows_of
from persistence.sql_helpers import insert_many

_STORED: Final = tuple(attribute.class_attribute for attribute in inspect(TaskRow).column_attrs)


class TaskRepository(RowRepository[TaskRow]):
    """The tasks that one actor may see."""

    model, name, by_id = TaskRow, "Task", staticmethod(reads.task)

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
        query = reads.task_count(self._actor, wanted)
        return await self._session.scalar(query.rows.select(()), query.values) or 0

    async def after_id(self, last: UUID | None, *, at_most: int) -> list[TaskRow]:
        """Tasks in the order of their ids, after *last*: the fastest scan of all tasks."""
        return await self._rows(reads.task_scan(self._actor, last, at_most=at_most))

    async def add_many(self, rows: Sequence[TaskRow]) -> set[UUID]:
        """Insert new tasks in one statement, except those whose id is taken; returns the ids of the inserted ones."""
        values = {column: [getattr(row, column.key) for row in rows] for column in _STORED}
        query = insert_many(TaskRow, values).on_conflict_do_nothing(index_elements=[TaskRow.id]).returning(TaskRow.id)
        return set(await self._session.scalars(query))

    async def remove(self, row: TaskRow) -> None:
        """Delete a task."""
        await self._session.delete(row)

    async def _rows(self, read: Query) -> list[TaskRow]:
        return await rows_of(self._session, TaskRow, read)
