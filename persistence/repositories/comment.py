"""The repository of comments."""

from collections.abc import Collection
from typing import Final
from uuid import UUID

from persistence.models import CommentRow
from persistence.models.rows import column_names, row_factory
from persistence.queries.comment import COMMENTS
from persistence.repositories.rows import RowRepository

_OF_TASKS: Final = (
    f"SELECT {', '.join(column_names(CommentRow))} FROM comments WHERE task_id = ANY($1::uuid[])"  # noqa: S608
    " ORDER BY task_id, id"
)


class CommentRepository(RowRepository[CommentRow]):
    """The comments on tasks that one actor may see."""

    model, name, by_id = CommentRow, "Comment", staticmethod(COMMENTS.by_id)

    async def of_tasks(self, task_ids: Collection[UUID]) -> dict[UUID, list[CommentRow]]:
        """The comments on tasks that the actor may see, by task, the oldest first."""
        found: dict[UUID, list[CommentRow]] = {}
        if task_ids:
            make = row_factory(CommentRow)
            for values in await self._work.transaction.fetch(_OF_TASKS, list(task_ids)):
                row = make(values)
                found.setdefault(row.task_id, []).append(row)
        return found
