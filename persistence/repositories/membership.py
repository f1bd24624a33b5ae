"""The repository of memberships in projects."""

from collections.abc import Collection
from typing import Final, NamedTuple
from uuid import UUID

from domain.actor import Actor
from domain.project import ProjectRole
from persistence.models import MembershipRow, membership_id
from persistence.queries.membership import MEMBERS
from persistence.repositories.rows import RowRepository
from persistence.row_locks import LockMode, RowLock

_NOBODY: Final = UUID(int=0)
_ACTIVE_MANAGERS: Final = (
    "SELECT count(*) FROM memberships AS m JOIN users AS u ON u.id = m.user_id"
    " WHERE m.project_id = $1 AND m.user_id <> $2 AND m.role = 'MANAGER' AND u.is_active AND u.kind = 'HUMAN'"
)
# Projects that the user manages with others, or that have a member who can be the next manager.
_MANAGED: Final = (
    "SELECT p.id FROM projects AS p JOIN memberships AS m ON m.project_id = p.id"
    " WHERE m.user_id = $1 AND m.role = 'MANAGER' AND EXISTS (SELECT FROM memberships AS o"
    " WHERE o.project_id = p.id AND o.user_id <> $1 AND o.role <> 'VIEWER')"
)
_LOCK_MANAGED: Final = f"{_MANAGED} ORDER BY p.id FOR NO KEY UPDATE OF p"
_USERS_IN: Final = "SELECT user_id FROM memberships WHERE project_id = $1 ORDER BY number"
_COUNT_MANAGED: Final = "SELECT count(*) FROM memberships WHERE user_id = $1 AND role = 'MANAGER'"
_COUNT_OF_USER: Final = "SELECT count(*) FROM memberships WHERE user_id = $1"
# The first active MEMBER of each of these projects that has no other active manager.
_SUCCESSORS: Final = (
    "SELECT DISTINCT ON (m.project_id) m.id FROM memberships AS m JOIN users AS u ON u.id = m.user_id"
    " WHERE m.project_id = ANY($1::uuid[]) AND m.user_id <> $2 AND m.role = 'MEMBER'"
    " AND u.is_active AND u.kind = 'HUMAN'"
    " AND NOT EXISTS (SELECT FROM memberships AS o JOIN users AS v ON v.id = o.user_id"
    " WHERE o.project_id = m.project_id AND o.user_id <> $2 AND o.role = 'MANAGER'"
    " AND v.is_active AND v.kind = 'HUMAN')"
    " ORDER BY m.project_id, m.number"
)
# What a user has in the projects with these keys, and what one provider has given.
_FOR_PROVIDER: Final = """
SELECT k.key, k.project_id, m.role, m.provider FROM project_keys AS k
LEFT JOIN memberships AS m ON m.project_id = k.project_id AND m.user_id = $1 WHERE k.key = ANY($3::text[])
UNION ALL
SELECT NULL, m.project_id, m.role, m.provider FROM memberships AS m WHERE m.user_id = $1 AND m.provider = $2
"""


class FoundMembership(NamedTuple):
    """A project, by one of its keys, and the user's role in it; None: the user is not a member.

    Without a key it is a membership that the provider has given.
    """

    key: str | None
    project_id: UUID
    role: ProjectRole | None
    provider: str | None


class MembershipRepository(RowRepository[MembershipRow]):
    """Memberships. Lock the project first: then its members do not change."""

    model, name, by_id = MembershipRow, "Member", staticmethod(MEMBERS.by_id)

    def lock_of_pair(self, project_id: UUID, user_id: UUID, mode: LockMode = LockMode.EXCLUSIVE) -> RowLock:
        """The lock of a user's membership in a project."""
        return self.lock_of(membership_id(project_id, user_id), mode)

    def lock_of_actor(self, project_id: UUID, actor: Actor, mode: LockMode) -> RowLock:
        """The lock of the actor's membership in a project; of none, if the actor's token is for another project."""
        reaches = actor.project_id is None or actor.project_id == project_id
        return self.lock_of_pair(project_id, actor.user_id if reaches else _NOBODY, mode)

    async def other_active_managers(self, project_id: UUID, *, beside: UUID) -> int:
        """The number of active managers of a locked project, without the user *beside* and service accounts."""
        return int(await self._work.transaction.value(_ACTIVE_MANAGERS, project_id, beside))

    async def users_in(self, project_id: UUID) -> list[UUID]:
        """The ids of all members of a locked project."""
        return [user_id for (user_id,) in await self._work.transaction.fetch(_USERS_IN, project_id)]

    async def lock_managed(self, user_id: UUID) -> set[UUID]:
        """Lock the projects that the user manages and that have another manager or a MEMBER; their ids."""
        await self._work.transaction.begin()
        return {project_id for (project_id,) in await self._work.transaction.fetch(_LOCK_MANAGED, user_id)}

    async def managed_by(self, user_id: UUID) -> set[UUID]:
        """The projects that `lock_managed` would lock."""
        return {project_id for (project_id,) in await self._work.transaction.fetch(_MANAGED, user_id)}

    async def count_managed(self, user_id: UUID) -> int:
        """The number of projects of which the user is a manager."""
        return int(await self._work.transaction.value(_COUNT_MANAGED, user_id))

    async def count_of_user(self, user_id: UUID) -> int:
        """The number of projects of which the user is a member."""
        return int(await self._work.transaction.value(_COUNT_OF_USER, user_id))

    async def for_provider(self, user_id: UUID, provider: str, keys: Collection[str]) -> list[FoundMembership]:
        """The projects with these keys with the user's memberships in them, then those that the provider has given."""
        found = await self._work.transaction.fetch(_FOR_PROVIDER, user_id, provider, list(keys))
        return [
            FoundMembership(key, project_id, ProjectRole(role) if role is not None else None, given_by)
            for key, project_id, role, given_by in found
        ]

    async def successors_of(self, user_id: UUID, project_ids: Collection[UUID]) -> list[UUID]:
        """The memberships of the first active members of those locked projects that have no other active manager."""
        found = await self._work.transaction.fetch(_SUCCESSORS, list(project_ids), user_id)
        return [row_id for (row_id,) in found]
