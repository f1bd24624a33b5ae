"""The repository of projects."""

from uuid import UUID

from persistence.models import ProjectKeyRow, ProjectRow
from persistence.models.rows import new_row
from persistence.queries import project as reads
from persistence.repositories.rows import RowRepository

_OWNER_OF_KEY = "SELECT project_id FROM project_keys WHERE key = $1"


class ProjectRepository(RowRepository[ProjectRow]):
    """The projects that one actor may see. A project that was locked by its id may be any: the policy decides."""

    model, name, by_id = ProjectRow, "Project", staticmethod(reads.project)

    async def owner_of_key(self, key: str) -> UUID | None:
        """The project that has or had this key."""
        owner: UUID | None = await self._work.transaction.value(_OWNER_OF_KEY, key)
        return owner

    def add_key(self, project: ProjectRow) -> None:
        """Reserve the project's key."""
        self._work.write_set.insert(new_row(ProjectKeyRow, key=project.key, project_id=project.id))
