"""Users, remembered."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import literal, select
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
    """Users. Who may see which of their fields is the policy's business."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def find(self, user_id: UUID) -> UserRow | None:
        """The user, or None."""
        return await self._session.get(UserRow, user_id)

    async def get(self, user_id: UUID, *, lock: bool = False) -> UserRow:
        """The user, its row locked if asked for.

        Raises:
            NotFound: there is none.
        """
        # Not FOR UPDATE: it would keep others from writing rows that only refer to this user, and deadlock with them.
        locked = {"key_share": True} if lock else None
        row = await self._session.get(UserRow, user_id, with_for_update=locked, populate_existing=lock)
        if row is None:
            raise NotFound("User not found", path=("userId",))
        return row

    async def find_many(self, ids: Collection[UUID]) -> dict[UUID, UserRow]:
        """Those of the users that exist, by id."""
        return {row.id: row for row in await self._rows(reads.users(ids))}

    async def find_by_name(self, username: str, *, lock: bool = False) -> UserRow | None:
        """The user of this name, ignoring case, or None."""
        if not is_storable(username):
            return None
        query = select(UserRow).where(folded_username == reads.lowered(literal(username)))
        return await self._session.scalar(query.with_for_update(key_share=True) if lock else query)

    async def lock_active_admins(self) -> list[UserRow]:
        """All active admins, locked in one order: who counts them next must wait until this transaction is over."""
        rows = await self._session.scalars(
            select(UserRow)
            .where(UserRow.role == Role.ADMIN, UserRow.is_active)
            .order_by(UserRow.id)
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )
        return list(rows)

    async def count(self) -> int:
        """How many users there are."""
        return await self._session.scalar(reads.UserCount().select()) or 0

    def add(self, row: UserRow) -> None:
        """Remember a new user."""
        self._session.add(row)

    async def _rows(self, asked: Query) -> list[UserRow]:
        return await rows_of(self._session, UserRow, asked)
