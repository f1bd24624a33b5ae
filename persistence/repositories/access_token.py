"""The repository of personal access tokens."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from persistence.models import AccessTokenRow
from persistence.queries import access_token as reads
from persistence.queries.query import Query
from persistence.repositories.rows import RowRepository, rows_of

_COUNT: Final = "SELECT count(*) FROM access_tokens WHERE user_id = $1"
_END: Final = "DELETE FROM access_tokens WHERE id = $1 AND user_id = $2 RETURNING 1"
_END_OF_USER: Final = "DELETE FROM access_tokens WHERE user_id = $1 RETURNING 1"
_EXPIRE: Final = (
    "WITH expired AS (DELETE FROM access_tokens WHERE expires_at <= $1 RETURNING 1) SELECT count(*) FROM expired"
)
# In one order, so that two processes cannot wait for each other.
_USED: Final = """
WITH used AS (SELECT id FROM access_tokens WHERE id = ANY($1) ORDER BY id FOR UPDATE)
UPDATE access_tokens AS t SET last_used_at = greatest(t.last_used_at, $2) FROM used WHERE t.id = used.id RETURNING 1
"""


class AccessTokenRepository(RowRepository[AccessTokenRow]):
    """Personal access tokens. A revoked token is deleted from the table."""

    model, name = AccessTokenRow, "Access token"

    @staticmethod
    def by_id(actor: object, row_id: UUID, /) -> Query:
        """The query for one token, of any user."""
        return reads.token(row_id)

    async def count(self, user_id: UUID) -> int:
        """The number of a user's tokens, expired ones included."""
        return int(await self._work.transaction.value(_COUNT, user_id))

    async def list_of_user(self, user_id: UUID, *, at_most: int) -> list[AccessTokenRow]:
        """A user's tokens, the newest first."""
        return await rows_of(self._work.transaction, AccessTokenRow, reads.tokens(user_id, at_most=at_most))

    async def end(self, token_id: UUID, *, user_id: UUID) -> bool:
        """End one token of a user now; False if there is none."""
        await self._work.transaction.begin()
        return await self._work.transaction.written_value(_END, token_id, user_id) is not None

    async def end_of_user(self, user_id: UUID) -> None:
        """End a user's tokens now."""
        await self._work.transaction.begin()
        await self._work.transaction.write(_END_OF_USER, user_id)

    async def note_use(self, token_ids: Sequence[UUID], at: datetime) -> None:
        """Store when tokens were used."""
        await self._work.transaction.write(_USED, list(token_ids), at)

    async def remove_expired(self, before: datetime) -> int:
        """Delete tokens that expired before this time; returns their number."""
        await self._work.transaction.begin()
        return int(await self._work.transaction.written_value(_EXPIRE, before))
