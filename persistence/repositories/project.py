"""The repository of projects."""

from typing import Final
from uuid import UUID

from persistence.models import ProjectKeyRow, ProjectRow
from persistence.models.rows import new_row
from persistence.queries import project as reads
from persistence.repositories.rows import RowRepository

_OWNER_OF_KEY: Final = "SELECT project_id FROM project_keys WHERE key = $1"
_COUNT_KEYS: Final = "SELECT count(*) FROM project_keys WHERE project_id = $1"


class ProjectRepository(RowRepository[ProjectRow]):
    """The projects that one actor may see. A project that was locked by its id may be any: the policy decides."""

    model, name, by_id = ProjectRow, "Project", staticmethod(reads.project)

    async def owner_of_key(self, key: str) -> UUID | None:
        """The project that has or had this key."""
        owner: UUID | None = await self._work.transaction.value(_OWNER_OF_KEY, key)
        return owner

    async def count_keys(self, project_id: UUID) -> int:
        """The number of keys that the project has and had."""
        return int(await self._work.transaction.value(_COUNT_KEYS, project_id))

    def add_key(self, project: ProjectRow) -> None:
        """Reserve the project's key."""
        self._work.write_set.insert(new_row(ProjectKeyRow, key=project.key, project_id=project.id))
