"""Requests that have been carried out, remembered by their keys."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from persistence.idempotency_counts import KeyCounts, KeysKept
from persistence.models import IdempotencyRow
from persistence.sql_helpers import affected


class IdempotencyRepository:
    """The keys; `claimed` is the one that this transaction works under."""

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
        """Note that a request is carried out now; what is known of it instead, if it has been before.

        While another transaction works under the same key this waits for it to end. A transaction that is rolled back
        leaves its key free.
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
        while known is None:  # a clean-up may take away what was in the way
            self.claimed = await self._session.scalar(insertion)
            if self.claimed is not None:
                return None
            known = await self._session.get(IdempotencyRow, scope)
        return known

    def note(self, version: int) -> None:
        """Note which version the claimed request has led to."""
        if self.claimed is not None:
            self.claimed.version = version

    @property
    def most(self) -> int:
        """How many keys an account may have."""
        return self._counts.most

    async def kept_of(self, actor_id: UUID, *, since: datetime) -> KeysKept:
        """How many keys an account has that are not older, about; the one that was claimed now is among them."""

        async def count() -> KeysKept:
            return await self._count(actor_id, since)

        return await self._counts.after_claim(actor_id, count)

    async def _count(self, actor_id: UUID, since: datetime) -> KeysKept:
        newest = (
            select(IdempotencyRow.created_at)
            .where(IdempotencyRow.actor_id == actor_id, IdempotencyRow.created_at > since)
            .order_by(IdempotencyRow.created_at)
            .limit(self.most + 1)
            .subquery()
        )
        counted = await self._session.execute(select(func.count(), func.min(newest.c.created_at)).select_from(newest))
        number, oldest = counted.one()
        return KeysKept(number, oldest)

    async def remove_older(self, than: datetime) -> int:
        """Forget the keys of longer ago; returns how many."""
        return affected(await self._session.execute(delete(IdempotencyRow).where(IdempotencyRow.created_at < than)))
