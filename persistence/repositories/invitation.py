"""The repository of invitations."""

from datetime import datetime
from typing import Final, cast
from uuid import UUID

from persistence.models import InvitationRow
from persistence.queries import invitation as reads
from persistence.queries.query import Query
from persistence.repositories.rows import RowRepository

_BY_HASH: Final = "SELECT id FROM invitations WHERE token_hash = $1"
_SET_HASH: Final = "UPDATE invitations SET token_hash = $2 WHERE id = $1 AND accepted_at IS NULL RETURNING 1"
_COUNT: Final = "SELECT count(*) FROM invitations WHERE inviter_id = $1 AND created_at > $2"
_REMOVE: Final = "WITH old AS (DELETE FROM invitations WHERE expires_at < $1 RETURNING 1) SELECT count(*) FROM old"


class InvitationRepository(RowRepository[InvitationRow]):
    """Invitations. A revoked one is deleted, an accepted one stays for a while."""

    model, name = InvitationRow, "Invitation"

    @staticmethod
    def by_id(actor: object, row_id: UUID, /) -> Query:
        """The query for one invitation, of anyone."""
        return reads.invitation(row_id)

    async def find_by_hash(self, token_hash: bytes) -> InvitationRow | None:
        """The invitation whose token has this hash, not locked, or None."""
        found = cast("UUID | None", await self._work.transaction.value(_BY_HASH, token_hash))
        return await self.find(found) if found is not None else None

    async def set_hash(self, invitation_id: UUID, token_hash: bytes) -> bool:
        """Store the hash of the token that is about to be mailed; False if there is no such open invitation."""
        await self._work.transaction.begin()
        return await self._work.transaction.written_value(_SET_HASH, invitation_id, token_hash) is not None

    async def count_since(self, inviter_id: UUID, after: datetime) -> int:
        """The number of a user's invitations after this time that were not revoked."""
        return int(await self._work.transaction.value(_COUNT, inviter_id, after))

    async def remove_expired(self, before: datetime) -> int:
        """Delete invitations that expired before this time; returns their number."""
        await self._work.transaction.begin()
        return int(await self._work.transaction.written_value(_REMOVE, before))
