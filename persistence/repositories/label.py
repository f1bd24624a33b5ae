"""The repository of labels."""

from collections.abc import Collection
from typing import Final
from uuid import UUID

from persistence.models import LabelRow
from persistence.queries.label import LABELS
from persistence.repositories.rows import RowRepository

_SAME_NAMES: Final = (
    "SELECT own.id, other.id FROM labels AS own JOIN labels AS other USING (folded_name)"
    " WHERE own.id = ANY($1::uuid[]) AND other.project_id = $2"
)
_IDS_BY_NAME: Final = "SELECT folded_name, id FROM labels WHERE project_id = $1"
_NAMES: Final = "SELECT id, name FROM labels WHERE id = ANY($1::uuid[])"
_COUNT: Final = "SELECT count(*) FROM labels WHERE project_id = $1"


class LabelRepository(RowRepository[LabelRow]):
    """The labels of projects that one actor may see."""

    model, name, by_id = LabelRow, "Label", staticmethod(LABELS.by_id)

    async def count(self, project_id: UUID) -> int:
        """The number of labels of a project."""
        return int(await self._work.transaction.value(_COUNT, project_id))

    async def ids_by_name(self, project_id: UUID) -> dict[str, UUID]:
        """The ids of the labels of a project, by their folded names."""
        return {row[0]: row[1] for row in await self._work.transaction.fetch(_IDS_BY_NAME, project_id)}

    async def names_of(self, label_ids: Collection[UUID]) -> dict[UUID, str]:
        """The names of labels of tasks that the actor may see, by their ids."""
        if not label_ids:
            return {}
        return {row[0]: row[1] for row in await self._work.transaction.fetch(_NAMES, list(label_ids))}

    async def of_same_names(self, label_ids: Collection[UUID], project_id: UUID) -> dict[UUID, UUID]:
        """The labels of a project that have the same names as these labels of another one, by the ids of those."""
        found = await self._work.transaction.fetch(_SAME_NAMES, list(label_ids), project_id)
        return {row[0]: row[1] for row in found}
