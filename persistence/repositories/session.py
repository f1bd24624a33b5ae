"""The repository of sessions."""

from datetime import datetime
from typing import Final, cast
from uuid import UUID

from persistence.models import SessionRow, UsedTokenRow
from persistence.models.rows import row_factory
from persistence.queries import session as reads
from persistence.queries.query import Query
from persistence.repositories.rows import RowRepository, rows_of

_BY_HASH: Final = (
    "SELECT session_id FROM used_tokens WHERE token_hash = $1 UNION ALL SELECT id FROM sessions WHERE token_hash = $1"
)
_USED: Final = "SELECT token_hash, session_id, used_at FROM used_tokens WHERE token_hash = $1"
_END: Final = "DELETE FROM sessions WHERE id = $1 RETURNING user_id"
_END_OF_USER: Final = "DELETE FROM sessions WHERE user_id = $1 AND id IS DISTINCT FROM $2 RETURNING 1"
# A session of a provider that did not say which of its sessions it is ends with the user's others.
_OF_PROVIDER: Final = """
SELECT id FROM sessions WHERE provider = $1 AND provider_subject = $2
    AND ($3::text IS NULL OR provider_session IS NULL OR provider_session = $3)
UNION SELECT id FROM sessions WHERE provider = $1 AND provider_session = $3 AND $2::text IS NULL
"""
_EXPIRE: Final = (
    "WITH expired AS (DELETE FROM sessions WHERE expires_at <= $1 RETURNING 1) SELECT count(*) FROM expired"
)


class SessionRepository(RowRepository[SessionRow]):
    """Sessions and their tokens. An ended session is deleted from the table."""

    model, name = SessionRow, "Session"

    @staticmethod
    def by_id(actor: object, row_id: UUID, /) -> Query:
        """The query for one session."""
        return reads.session(row_id)

    async def lock_by_token(self, token_hash: bytes) -> SessionRow | None:
        """The session of this refresh token, used or not, locked; or None."""
        session_id = await self._work.transaction.value(_BY_HASH, token_hash)
        if session_id is None:
            return None
        # If a token is used twice at the same time, the second use waits here for the first.
        [row] = await self._work.lock(self.lock_of(session_id))
        return cast("SessionRow | None", row)

    async def find_used(self, token_hash: bytes) -> UsedTokenRow | None:
        """The record of a used token, or None."""
        rows = await self._work.transaction.fetch(_USED, token_hash)
        return row_factory(UsedTokenRow)(rows[0]) if rows else None

    async def list_of_user(self, user_id: UUID, *, now: datetime, at_most: int) -> list[SessionRow]:
        """A user's active sessions, the newest first."""
        query = reads.sessions(user_id, now=now, at_most=at_most)
        return await rows_of(self._work.transaction, SessionRow, query)

    def add_used(self, row: UsedTokenRow) -> None:
        """Add a used token."""
        self._work.write_set.insert(row)

    async def end(self, session_id: UUID) -> UUID | None:
        """End one session now; returns the id of its user, or None if it had already ended."""
        await self._work.transaction.begin()
        user_id: UUID | None = await self._work.transaction.written_value(_END, session_id)
        return user_id

    async def through_provider(self, provider: str, *, subject: str | None, session: str | None) -> list[UUID]:
        """The sessions of a subject of a provider, or those that belong to one of the provider's own sessions."""
        return [row[0] for row in await self._work.transaction.fetch(_OF_PROVIDER, provider, subject, session)]

    async def end_of_user(self, user_id: UUID, *, spare: UUID | None = None) -> None:
        """End a user's sessions now, except *spare*."""
        await self._work.transaction.begin()
        await self._work.transaction.write(_END_OF_USER, user_id, spare)

    async def remove_expired(self, now: datetime) -> int:
        """Delete expired sessions with their used tokens; returns the number of sessions."""
        await self._work.transaction.begin()
        return int(await self._work.transaction.written_value(_EXPIRE, now))
