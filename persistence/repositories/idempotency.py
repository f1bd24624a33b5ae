"""The repository of idempotency keys."""

from datetime import datetime
from typing import Final
from uuid import UUID

from persistence.idempotency_counts import KeyCounts, KeyUsage
from persistence.models import IdempotencyRow
from persistence.models.rows import new_row, row_factory
from persistence.repositories.rows import Work

# It waits on the index while another transaction has the key, and does nothing if that one commits.
_CLAIM: Final = (
    "INSERT INTO idempotency_keys (scope, fingerprint, object_id, created_at, actor_id)"
    " VALUES ($1, $2, $3, coalesce($4, clock_timestamp()), $5) ON CONFLICT DO NOTHING RETURNING created_at"
)
_KNOWN: Final = (
    "SELECT scope, fingerprint, object_id, version, created_at, actor_id FROM idempotency_keys WHERE scope = $1"
)
_COUNT: Final = (
    "SELECT count(*), min(created_at) FROM (SELECT created_at FROM idempotency_keys"
    " WHERE actor_id = $1 AND created_at > $2 ORDER BY created_at LIMIT $3) AS newest"
)
_REMOVE: Final = (
    "WITH removed AS (DELETE FROM idempotency_keys WHERE created_at < $1 RETURNING 1) SELECT count(*) FROM removed"
)


class IdempotencyRepository:
    """The idempotency keys."""

    def __init__(self, work: Work, counts: KeyCounts) -> None:
        self._work = work
        self._counts = counts
        self._claimed: IdempotencyRow | None = None

    async def claim(
        self, scope: bytes, *, actor_id: UUID, fingerprint: bytes, object_id: UUID, now: datetime | None
    ) -> IdempotencyRow | None:
        """Claim a key for a request; returns the stored row if the key was used before.

        *now* is None for the time of the database's clock. The claim waits while another transaction uses the same key.
        A rollback releases the key.
        """
        await self._work.transaction.begin()
        while True:  # a clean-up may delete the row that was in the way
            if await self._work.transaction.write(_CLAIM, scope, fingerprint, object_id, now, actor_id):
                self._claimed = new_row(IdempotencyRow, scope=scope)
                return None
            if known := await self._work.transaction.fetch(_KNOWN, scope):
                row: IdempotencyRow = row_factory(IdempotencyRow)(known[0])
                return row

    def note(self, version: int) -> None:
        """Record the version that the claimed request has created."""
        if self._claimed is not None:
            self._claimed.version = version
            self._work.write_set.update(self._claimed, ("version",))

    @property
    def most(self) -> int:
        """The maximum number of keys of an account."""
        return self._counts.most

    async def usage_of(self, actor_id: UUID, *, since: datetime) -> KeyUsage:
        """The approximate number of keys of an account since *since*, including the one that was claimed now."""

        async def count() -> KeyUsage:
            [(number, oldest)] = await self._work.transaction.fetch(_COUNT, actor_id, since, self.most + 1)
            return KeyUsage(number, oldest)

        return await self._counts.after_claim(actor_id, count)

    async def remove_older(self, than: datetime) -> int:
        """Delete older keys; returns the number of deleted keys."""
        await self._work.transaction.begin()
        return int(await self._work.transaction.written_value(_REMOVE, than))
