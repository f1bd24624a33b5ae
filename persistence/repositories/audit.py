"""The repository of the audit log."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson

from domain.actor import Actor
from domain.audit import AuditAction, AuditEntry, Performer, one_line, safe_details
from persistence.models import AuditRow
from persistence.models.audit import MAX_NAME
from persistence.models.base import new_id
from persistence.models.rows import new_row
from persistence.repositories.rows import Work

_COUNT: Final = """
INSERT INTO audit_entries AS stored
    (id, at, last_at, times, actor_id, actor_name, ip_address, action, subject_kind, subject_id, subject_name, details)
SELECT id, now_, now_, times, actor_id, actor_name, ip_address, action, subject_kind, subject_id, subject_name, details
FROM unnest($1::uuid[], $2::int[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::uuid[], $9::text[],
            $10::jsonb[])
     AS given(id, times, actor_id, actor_name, ip_address, action, subject_kind, subject_id, subject_name, details),
     coalesce($11::timestamptz, clock_timestamp()) AS now_
ON CONFLICT (id) DO UPDATE
SET times = stored.times + excluded.times, last_at = greatest(stored.last_at, excluded.last_at)
"""
_COLUMNS: Final = (
    *("id", "times", "actor_id", "actor_name", "ip_address", "action", "subject_kind", "subject_id", "subject_name"),
)
"""The columns that are given as arrays, beside the details."""
_EXISTING: Final = "SELECT id FROM audit_entries WHERE id = ANY($1::uuid[])"
_KNOWN_PARTS: Final = """
SELECT subject_id IS NOT NULL, ip_address IS NOT NULL, count(*) FROM audit_entries
WHERE action = ANY($1::text[]) AND at >= $2 AND last_at IS NOT NULL GROUP BY 1, 2
"""
_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtext($1))"
_REMOVE_OLD: Final = (
    "WITH old AS (SELECT id FROM audit_entries WHERE at <= $1 ORDER BY at, id LIMIT $2 FOR UPDATE SKIP LOCKED),"
    " removed AS (DELETE FROM audit_entries USING old WHERE audit_entries.id = old.id RETURNING 1)"
    " SELECT count(*) FROM removed"
)


class AuditRepository:
    """The entries of the audit log. *address* finds that of the client. Services decide who may read entries."""

    def __init__(self, work: Work, actor: Actor | None, address: Callable[[], str] | None) -> None:
        self._work = work
        self._actor = actor
        self._address = address

    def add(self, entry: AuditEntry) -> None:
        """Add an entry for something that was done once, now, from the client's address."""
        self._work.write_set.insert(self.row(entry, at=self._work.stamp))

    def row(self, entry: AuditEntry, **values: Any) -> AuditRow:
        """The row of an entry, with these values of its columns instead of the usual ones."""
        actor, subject = self._actor, entry.subject
        performer = entry.performer or (Performer(actor.user_id, actor.name) if actor is not None else None)
        usual: dict[str, Any] = {
            "id": new_id(),
            "times": 1,
            "ip_address": self._address() if self._address is not None else None,
            "action": entry.action,
            "details": safe_details(entry.details),
        }
        if performer is not None:
            usual |= {"actor_id": performer.id, "actor_name": _shown(performer.name)}
        if subject is not None:
            usual |= {"subject_kind": subject.kind, "subject_id": subject.id, "subject_name": _shown(subject.name)}
        return new_row(AuditRow, **(usual | values))

    async def lock_counts(self) -> None:
        """Let no other process count failures until this transaction ends."""
        await self._work.transaction.begin()
        await self._work.transaction.fetch(_LOCK, "taskriver:audit counts")

    async def existing(self, ids: Collection[UUID]) -> set[UUID]:
        """Those of the entries that exist."""
        return {row[0] for row in await self._work.transaction.fetch(_EXISTING, list(ids))}

    async def known_parts(self, actions: Collection[AuditAction], since: datetime) -> dict[tuple[bool, bool], int]:
        """The number of counted entries since a time, by whether they have a subject and an address."""
        names = [action.name for action in actions]
        found = await self._work.transaction.fetch(_KNOWN_PARTS, names, since)
        return {(has_subject, has_address): number for has_subject, has_address, number in found}

    async def count(self, rows: Sequence[AuditRow]) -> None:
        """Add entries that count equal events. For one that exists, its number and its last time grow instead.

        Their time is that of the database's clock.
        """
        arrays = [[getattr(row, name) for row in rows] for name in _COLUMNS]
        details = [orjson.dumps(row.details).decode() for row in rows]
        await self._work.transaction.begin()
        await self._work.transaction.write(_COUNT, *arrays, details, self._work.stamp)

    async def remove_older(self, than: datetime, *, at_most: int) -> int:
        """Remove entries that are older than a time; returns how many."""
        await self._work.transaction.begin()
        return int(await self._work.transaction.written_value(_REMOVE_OLD, than, at_most))


def _shown(name: str | None) -> str | None:
    return one_line(name)[:MAX_NAME] if name is not None else None
