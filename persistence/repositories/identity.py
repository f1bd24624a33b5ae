"""The repositories of identities at providers, and of what may be used only once."""

from datetime import datetime
from typing import Final
from uuid import UUID

from persistence.models import IdentityRow, SingleUseRow
from persistence.models.rows import new_row
from persistence.queries import identity as reads
from persistence.queries.query import Query
from persistence.repositories.rows import RowRepository, Work, rows_of

_EXPIRE: Final = (
    "WITH expired AS (DELETE FROM single_uses WHERE expires_at <= $1 RETURNING 1) SELECT count(*) FROM expired"
)


class IdentityRepository(RowRepository[IdentityRow]):
    """Accounts at providers that are linked to users."""

    model, name = IdentityRow, "Identity"

    @staticmethod
    def by_id(actor: object, row_id: UUID, /) -> Query:
        """The query for one identity, of any user."""
        return reads.identity(row_id)

    async def find_by_subject(self, issuer: str, subject: str) -> IdentityRow | None:
        """The identity of a subject of an issuer, or None."""
        query = reads.identity_of_subject(issuer, subject)
        rows = await rows_of(self._work.transaction, IdentityRow, query)
        return rows[0] if rows else None

    async def list_of_user(self, user_id: UUID, *, at_most: int) -> list[IdentityRow]:
        """A user's identities, the oldest first."""
        return await rows_of(self._work.transaction, IdentityRow, reads.identities(user_id, at_most=at_most))


class SingleUseRepository:
    """What may be used only once, and was used."""

    CONSTRAINT: Final = "pk_single_uses"
    """The unique index that a second use violates at the commit."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def add(self, use_hash: bytes, *, until: datetime) -> None:
        """Note a use at the commit; it is remembered *until* then."""
        self._work.write_set.insert(new_row(SingleUseRow, use_hash=use_hash, expires_at=until))

    async def remove_expired(self, now: datetime) -> int:
        """Forget uses of what has expired; returns their number."""
        await self._work.transaction.begin()
        return int(await self._work.transaction.written_value(_EXPIRE, now))
