"""The repository of labels."""

from typing import Final
from uuid import UUID

from persistence.models import LabelRow
from persistence.queries.label import LABELS
from persistence.repositories.rows import RowRepository

_COUNT: Final = "SELECT count(*) FROM labels WHERE project_id = $1"


class LabelRepository(RowRepository[LabelRow]):
    """The labels of projects that one actor may see."""

    model, name, by_id = LabelRow, "Label", staticmethod(LABELS.by_id)

    async def count(self, project_id: UUID) -> int:
        """The number of labels of a project."""
        return int(await self._work.transaction.value(_COUNT, project_id))
