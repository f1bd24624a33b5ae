"""The repository of users."""

from collections.abc import Collection
from typing import Final
from uuid import UUID

from domain.text import is_storable
from persistence.models import UserRow
from persistence.queries import user as reads
from persistence.queries.query import Query
from persistence.repositories.rows import RowRepository, rows_of

_LOCK_ADMINS: Final = (
    "SELECT id, role = 'ADMIN' AND is_active AND kind = 'HUMAN' FROM users"
    " WHERE (role = 'ADMIN' AND is_active AND kind = 'HUMAN') OR id = $1 ORDER BY id FOR NO KEY UPDATE"
)
_BY_EMAIL: Final = 'SELECT id FROM users WHERE lower(email COLLATE "C") = lower($1 COLLATE "C")'
_COUNT_SERVICE: Final = "SELECT count(*) FROM users WHERE project_id = $1"
_COUNT: Final = "SELECT count(*) FROM users"


class UserRepository(RowRepository[UserRow]):
    """Users. Every actor may see them; the policy decides who may see which fields."""

    model, name = UserRow, "User"

    @staticmethod
    def by_id(actor: object, row_id: UUID, /) -> Query:
        """The query for one user."""
        return reads.user(row_id)

    async def find_many(self, ids: Collection[UUID]) -> dict[UUID, UserRow]:
        """The existing users among *ids*, by id."""
        return {row.id: row for row in await rows_of(self._work.transaction, UserRow, reads.users(ids))}

    async def find_by_name(self, username: str) -> UserRow | None:
        """The user with this name, ignoring case, or None."""
        if not is_storable(username):
            return None
        rows = await rows_of(self._work.transaction, UserRow, reads.user_by_name(username))
        return rows[0] if rows else None

    async def find_by_email(self, email: str) -> UserRow | None:
        """The user with this checked e-mail address, ignoring the case of ASCII letters, or None."""
        rows = await rows_of(self._work.transaction, UserRow, reads.user_by_email(email))
        return rows[0] if rows else None

    async def id_by_email(self, email: str) -> UUID | None:
        """The id of the user with this e-mail address, ignoring the case of ASCII letters, or None."""
        user_id: UUID | None = await self._work.transaction.value(_BY_EMAIL, email)
        return user_id

    async def lock_active_admins(self, beside: UUID) -> set[UUID]:
        """Lock all active admins and the user *beside* by ascending id; returns the ids of the admins.

        Service accounts are left out.

        The user is locked by the same statement. Locked after it, the user could be one whom a transaction that started
        earlier has locked first, and both would wait for each other.
        """
        await self._work.transaction.begin()
        locked = await self._work.transaction.fetch(_LOCK_ADMINS, beside)
        return {user_id for user_id, is_admin in locked if is_admin}

    async def count_service_accounts(self, project_id: UUID) -> int:
        """The number of service accounts of a project."""
        return int(await self._work.transaction.value(_COUNT_SERVICE, project_id))

    async def count(self) -> int:
        """The number of users."""
        return int(await self._work.transaction.value(_COUNT))
