"""The repository of deletions of users."""

from typing import Final, NamedTuple
from uuid import UUID

from persistence.repositories.rows import Work
from persistence.user_data import removals

_RESERVE: Final = (
    "INSERT INTO reserved_names (name_hash) VALUES (sha256(convert_to(lower($1 COLLATE \"C\"), 'UTF8')))"
    " ON CONFLICT DO NOTHING RETURNING 1"
)
_BEGIN: Final = "INSERT INTO user_deletions (user_id, tasks_to, deleted_by) VALUES ($1, $2, $3) RETURNING 1"
_REDIRECT: Final = "UPDATE user_deletions SET tasks_to = $2 WHERE tasks_to = $1 RETURNING 1"
_LIST: Final = "SELECT user_id, tasks_to, deleted_by FROM user_deletions ORDER BY started_at"
_HOLD: Final = "SELECT user_id, tasks_to, deleted_by FROM user_deletions WHERE user_id = $1 FOR SHARE"
_END: Final = (
    "DELETE FROM user_deletions WHERE user_id = $1 AND started_at < clock_timestamp() - make_interval(secs => $2)"
    " RETURNING 1"
)
_LOCK_PROJECTS: Final = (
    "SELECT p.id FROM projects AS p JOIN memberships AS m ON m.project_id = p.id WHERE m.user_id = $1"
    " ORDER BY p.id FOR NO KEY UPDATE OF p"
)
_PROJECTS: Final = "SELECT project_id FROM memberships WHERE user_id = $1"
_ONLY_MANAGER_OF: Final = (
    "SELECT p.key FROM projects AS p JOIN memberships AS m ON m.project_id = p.id"
    " WHERE m.user_id = $1 AND m.role = 'MANAGER' AND NOT EXISTS (SELECT FROM memberships AS o"
    " JOIN users AS u ON u.id = o.user_id WHERE o.project_id = p.id AND o.user_id <> $1 AND o.role = 'MANAGER'"
    " AND u.is_active) ORDER BY p.key"
)
_SHARE_PROJECT: Final = (
    "SELECT EXISTS (SELECT FROM memberships AS a JOIN memberships AS b USING (project_id)"
    " WHERE a.user_id = $1 AND b.user_id = $2)"
)
_PERSONAL: Final = "SELECT count(*) FROM tasks WHERE owner_id = $1 AND project_id IS NULL"
_TASKS: Final = (
    "SELECT id FROM tasks WHERE owner_id = $1 AND project_id IS NULL UNION SELECT id FROM tasks WHERE assignee_id = $1"
)
_EMPTY_TRASH: Final = (
    "WITH chosen AS (SELECT id FROM trash WHERE owner_id = $1 AND project_id IS NULL LIMIT $2 FOR UPDATE),"
    " removed AS (DELETE FROM trash USING chosen WHERE trash.id = chosen.id RETURNING 1) SELECT count(*) FROM removed"
)
_UNASSIGN_TRASH: Final = (
    "WITH chosen AS (SELECT id FROM trash WHERE assignee_id = $1 LIMIT $2 FOR UPDATE), changed AS (UPDATE trash"
    " SET assignee_id = NULL FROM chosen WHERE trash.id = chosen.id RETURNING 1) SELECT count(*) FROM changed"
)


class UnfinishedDeletion(NamedTuple):
    """A deleted user whose tasks are not yet transferred: to whom, or None to delete them; and who has deleted them."""

    user_id: UUID
    tasks_to: UUID | None
    deleted_by: UUID


class UserDeletionRepository:
    """Deletions of users. All changes are made at once, and not at the commit."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def lock_projects_of(self, user_id: UUID) -> set[UUID]:
        """Lock the projects of which the user is a member; their ids."""
        await self._work.transaction.begin()
        return {row[0] for row in await self._work.transaction.fetch(_LOCK_PROJECTS, user_id)}

    async def projects_of(self, user_id: UUID) -> set[UUID]:
        """The projects that `lock_projects_of` would lock."""
        return {row[0] for row in await self._work.transaction.fetch(_PROJECTS, user_id)}

    async def managed_alone(self, user_id: UUID) -> list[str]:
        """The keys of the projects that have no other active manager."""
        return [row[0] for row in await self._work.transaction.fetch(_ONLY_MANAGER_OF, user_id)]

    async def share_project(self, user_id: UUID, other_id: UUID) -> bool:
        """Whether two users are members of the same project."""
        return bool(await self._work.transaction.value(_SHARE_PROJECT, user_id, other_id))

    async def count_personal_tasks(self, user_id: UUID) -> int:
        """The number of personal tasks of a user."""
        return int(await self._work.transaction.value(_PERSONAL, user_id))

    async def begin(self, user_id: UUID, username: str, *, tasks_to: UUID | None, deleted_by: UUID) -> None:
        """Remove what belongs to the user alone, reserve the name, and note what remains to be done.

        Tasks that were to go to this user go where this user's tasks go.
        """
        write = self._work.transaction.write
        for statement in removals():
            await write(statement, user_id)
        await write(_RESERVE, username)
        await write(_REDIRECT, user_id, tasks_to)
        await write(_BEGIN, user_id, tasks_to, deleted_by)

    async def unfinished(self) -> list[UnfinishedDeletion]:
        """The deletions that are not finished, the oldest first."""
        return [UnfinishedDeletion(*row) for row in await self._work.transaction.fetch(_LIST)]

    async def hold(self, user_id: UUID) -> UnfinishedDeletion | None:
        """The deletion, which does not change until the transaction ends; None: it is finished."""
        found = await self._work.transaction.fetch(_HOLD, user_id)
        return UnfinishedDeletion(*found[0]) if found else None

    async def tasks_of(self, user_id: UUID) -> list[UUID]:
        """The ids of the personal tasks of a user, and of all tasks that are assigned to the user."""
        return [row[0] for row in await self._work.transaction.fetch(_TASKS, user_id)]

    async def clear_trash(self, user_id: UUID, *, at_most: int) -> int:
        """Remove deleted personal tasks for good, and unassign other deleted tasks; returns how many."""
        await self._work.transaction.begin()
        removed = int(await self._work.transaction.written_value(_EMPTY_TRASH, user_id, at_most))
        return removed + int(await self._work.transaction.written_value(_UNASSIGN_TRASH, user_id, at_most))

    async def end(self, user_id: UUID, *, after_seconds: float) -> None:
        """Note that nothing remains to be done, if the deletion began long enough ago."""
        await self._work.transaction.begin()
        await self._work.transaction.write(_END, user_id, after_seconds)
