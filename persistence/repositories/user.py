"""The repository of users."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import and_, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import NotFound
from domain.text import is_storable
from domain.user import Role
from persistence.models import UserRow
from persistence.models.user import folded_username
from persistence.queries import user as reads
from persistence.queries.query import Query
from persistence.repositories.rows import rows_of


class UserRepository:
    """Users. The policy decides who may see which fields."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def find(self, user_id: UUID) -> UserRow | None:
        """The user, or None."""
        return await self._session.get(UserRow, user_id)

    async def get(self, user_id: UUID, *, lock: bool = False) -> UserRow:
        """The user, its row locked if query for.

        Raises:
            NotFound: there is no such user.
        """
        # Not FOR UPDATE: it would block writes of rows that reference this user, and could deadlock with them.
        locked = {"key_share": True} if lock else None
        row = await self._session.get(UserRow, user_id, with_for_update=locked, populate_existing=lock)
        if row is None:
            raise NotFound("User not found", path=("userId",))
        return row

    async def find_many(self, ids: Collection[UUID]) -> dict[UUID, UserRow]:
        """The existing users among *ids*, by id."""
        return {row.id: row for row in await self._rows(reads.users(ids))}

    async def find_by_name(self, username: str, *, lock: bool = False) -> UserRow | None:
        """The user with this name, ignoring case, or None."""
        if not is_storable(username):
            return None
        query = select(UserRow).where(folded_username == reads.lowered(literal(username)))
        return await self._session.scalar(query.with_for_update(key_share=True) if lock else query)

    async def lock_active_admins(self, beside: UUID) -> list[UserRow]:
        """All active admins and the user *beside*, locked by ascending id: the next transaction that does this waits.

        The user is locked by the same statement. Locked after it, the user could be one whom a transaction that started
        earlier has locked first, and both would wait for each other.
        """
        rows = await self._session.scalars(
            select(UserRow)
            .where(or_(and_(UserRow.role == Role.ADMIN, UserRow.is_active), UserRow.id == beside))
            .order_by(UserRow.id)
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )
        return list(rows)

    async def count(self) -> int:
        """The number of users."""
        return await self._session.scalar(reads.UserCount().select()) or 0

    def add(self, row: UserRow) -> None:
        """Add a new user."""
        self._session.add(row)

    async def _rows(self, query: Query) -> list[UserRow]:
        return await rows_of(self._session, UserRow, query)
