"""The repository of idempotency keys."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from persistence.idempotency_counts import KeyCounts, KeyUsage
from persistence.models import IdempotencyRow
from persistence.sql_helpers import affected


class IdempotencyRepository:
    """The idempotency keys; `claimed` is the key of this transaction."""

    def __init__(self, session: AsyncSession, counts: KeyCounts) -> None:
        self._session = session
        self._counts = counts
        self.claimed: IdempotencyRow | None = None

    async def claim(
        self,
        scope: bytes,
        *,
        actor_id: UUID,
        fingerprint: bytes,
        object_id: UUID,
        now: datetime | ColumnElement[datetime],
    ) -> IdempotencyRow | None:
        """Claim a key for a request; returns the stored row if the key was used before.

        It waits while another transaction uses the same key. A rollback releases the key.
        """
        values = {
            "scope": scope,
            "actor_id": actor_id,
            "fingerprint": fingerprint,
            "object_id": object_id,
            "created_at": now,
        }
        # It waits on the index while another one has the key, and does nothing, without an error, if that one commits.
        insertion = insert(IdempotencyRow).values(values).on_conflict_do_nothing().returning(IdempotencyRow)
        known: IdempotencyRow | None = None
        while known is None:  # a clean-up may delete the conflicting row
            self.claimed = await self._session.scalar(insertion)
            if self.claimed is not None:
                return None
            known = await self._session.get(IdempotencyRow, scope)
        return known

    def note(self, version: int) -> None:
        """Record the version that the claimed request has created."""
        if self.claimed is not None:
            self.claimed.version = version

    @property
    def most(self) -> int:
        """The maximum number of keys of an account."""
        return self._counts.most

    async def usage_of(self, actor_id: UUID, *, since: datetime) -> KeyUsage:
        """The approximate number of keys of an account since *since*, including the one that was claimed now."""

        async def count() -> KeyUsage:
            return await self._count(actor_id, since)

        return await self._counts.after_claim(actor_id, count)

    async def _count(self, actor_id: UUID, since: datetime) -> KeyUsage:
        newest = (
            select(IdempotencyRow.created_at)
            .where(IdempotencyRow.actor_id == actor_id, IdempotencyRow.created_at > since)
            .order_by(IdempotencyRow.created_at)
            .limit(self.most + 1)
            .subquery()
        )
        counted = await self._session.execute(select(func.count(), func.min(newest.c.created_at)).select_from(newest))
        number, oldest = counted.one()
        return KeyUsage(number, oldest)

    async def remove_older(self, than: datetime) -> int:
        """Delete older keys; returns the number of deleted keys."""
        return affected(await self._session.execute(delete(IdempotencyRow).where(IdempotencyRow.created_at < than)))
