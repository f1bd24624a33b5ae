"""The repository of sessions."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from persistence.models import SessionRow, UsedTokenRow, UserRow
from persistence.queries import session as reads
from persistence.repositories.rows import rows_of
from persistence.sql_helpers import affected


class SessionRepository:
    """Sessions and their tokens. An ended session is deleted from the table."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def find_with_user(self, session_id: UUID) -> tuple[SessionRow, UserRow] | None:
        """The session and its user, or None."""
        query = select(SessionRow, UserRow).join(UserRow, UserRow.id == SessionRow.user_id)
        row = (await self._session.execute(query.where(SessionRow.id == session_id))).one_or_none()
        return (row[0], row[1]) if row is not None else None

    async def find_by_token(self, token_hash: bytes) -> SessionRow | None:
        """The session of this refresh token, used or not; the row is locked."""
        used = select(UsedTokenRow.session_id).where(UsedTokenRow.token_hash == token_hash)
        current = select(SessionRow.id).where(SessionRow.token_hash == token_hash)
        # The lock is taken by id. If a token is used twice at the same time, the second use waits for the first.
        return await self._session.scalar(
            select(SessionRow)
            .where(SessionRow.id.in_(used.union_all(current).scalar_subquery()))
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )

    async def find_used(self, token_hash: bytes) -> UsedTokenRow | None:
        """The record of a used token, or None."""
        return await self._session.get(UsedTokenRow, token_hash)

    async def list_of_user(self, user_id: UUID, *, now: datetime, at_most: int) -> list[SessionRow]:
        """A user's active sessions, the newest first."""
        query = reads.sessions(user_id, now=now, at_most=at_most)
        return await rows_of(self._session, SessionRow, query)

    def add(self, row: SessionRow | UsedTokenRow) -> None:
        """Add a new session, or a used token."""
        self._session.add(row)

    async def remove(self, session_id: UUID) -> bool:
        """End one session; False if it had already ended."""
        result = await self._session.execute(delete(SessionRow).where(SessionRow.id == session_id))
        return affected(result) == 1

    async def remove_of_user(self, user_id: UUID, *, spare: UUID | None = None) -> int:
        """End a user's sessions except *spare*; returns the number of sessions ended."""
        query = delete(SessionRow).where(SessionRow.user_id == user_id)
        if spare is not None:
            query = query.where(SessionRow.id != spare)
        return affected(await self._session.execute(query))

    async def remove_expired(self, now: datetime) -> int:
        """Delete expired sessions with their used tokens; returns the number of sessions."""
        result = await self._session.execute(delete(SessionRow).where(SessionRow.expires_at <= now))
        return affected(result)
