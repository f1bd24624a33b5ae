"""The repository of memberships in projects."""

from collections.abc import Collection
from typing import Final
from uuid import UUID

from persistence.models import MembershipRow, membership_id
from persistence.queries.membership import MEMBERS
from persistence.repositories.rows import RowRepository
from persistence.row_locks import RowLock

_ACTIVE_MANAGERS: Final = (
    "SELECT count(*) FROM memberships AS m JOIN users AS u ON u.id = m.user_id"
    " WHERE m.project_id = $1 AND m.user_id <> $2 AND m.role = 'MANAGER' AND u.is_active"
)
_MANAGED: Final = "SELECT project_id FROM memberships WHERE user_id = $1 AND role = 'MANAGER'"
# The first active MEMBER of each of these projects that has no other active manager.
_SUCCESSORS: Final = (
    "SELECT DISTINCT ON (m.project_id) m.id FROM memberships AS m JOIN users AS u ON u.id = m.user_id"
    " WHERE m.project_id = ANY($1::uuid[]) AND m.user_id <> $2 AND m.role = 'MEMBER'"
    " AND u.is_active AND NOT EXISTS (SELECT FROM memberships AS o JOIN users AS v ON v.id = o.user_id"
    " WHERE o.project_id = m.project_id AND o.user_id <> $2 AND o.role = 'MANAGER' AND v.is_active)"
    " ORDER BY m.project_id, m.number"
)


class MembershipRepository(RowRepository[MembershipRow]):
    """Memberships. Lock the project first: then its members do not change."""

    model, name, by_id = MembershipRow, "Member", staticmethod(MEMBERS.by_id)

    def lock_of_pair(self, project_id: UUID, user_id: UUID, *, shared: bool = False) -> RowLock:
        """The lock of a user's membership in a project."""
        return self.lock_of(membership_id(project_id, user_id), shared=shared)

    async def other_active_managers(self, project_id: UUID, *, beside: UUID) -> int:
        """The number of active managers of a locked project, without the user *beside*."""
        return int(await self._work.transaction.value(_ACTIVE_MANAGERS, project_id, beside))

    async def managed_by(self, user_id: UUID) -> set[UUID]:
        """The projects of which the user is a manager."""
        await self._work.transaction.begin()
        return {project_id for (project_id,) in await self._work.transaction.fetch(_MANAGED, user_id)}

    async def successors_of(self, user_id: UUID, project_ids: Collection[UUID]) -> list[UUID]:
        """The memberships of the first active members of those locked projects that have no other active manager."""
        found = await self._work.transaction.fetch(_SUCCESSORS, list(project_ids), user_id)
        return [row_id for (row_id,) in found]
