"""Counts failed sign-ins in memory, and adds the numbers to the audit log every few seconds.

A failure writes nothing while its request waits. Equal failures of an hour are one entry, and an hour has at most about
two thousand of them, see `domain.audit.MAX_FAILURES`. If a process dies, its failures of the last seconds are lost.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from domain.audit import AuditAction, AuditEntry, Failure, FailureLimits, Performer, Subject, counted_id, start_of_hour
from domain.errors import Unavailable
from persistence.models import UserRow
from persistence.unit_of_work import UnitOfWork

FLUSH_SECONDS: Final = 5.0
ACTIONS: Final = frozenset({AuditAction.SIGN_IN_FAILED, AuditAction.PASSWORD_CHANGE_FAILED})

_log: Final = logging.getLogger("taskriver.audit")


class FailedSignIns:
    """The failures of this process that are not in the audit log yet. Their number of kinds is bounded."""

    def __init__(self, new_unit_of_work: Callable[[], UnitOfWork]) -> None:
        self._new_unit_of_work = new_unit_of_work
        self._counts: dict[Failure, int] = {}
        self._limits = FailureLimits()

    def add(self, action: AuditAction, user: UserRow | None, address: str) -> None:
        """Count a failure. *user* is the account that was named, or None if there is none."""
        named = Performer(user.id, user.username) if user is not None else None
        self._add(Failure(action, named, address), 1)

    async def flush(self) -> None:
        """Add what was counted to the audit log.

        Raises:
            Unavailable: the database cannot store it now; it is counted again at the next time.
        """
        counts, self._counts, self._limits = self._counts, {}, FailureLimits()
        if not counts:
            return
        try:
            await _store(self._new_unit_of_work(), counts)
        except BaseException:
            for failure, number in counts.items():
                self._add(failure, number)
            raise

    async def run(self) -> None:
        """Flush every few seconds until cancelled; failures are logged."""
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            await self.try_to_flush()

    async def try_to_flush(self) -> None:
        """Flush; a failure is logged."""
        try:
            await self.flush()
        except Unavailable as error:
            _log.warning("failed sign-ins could not be added to the audit log; they are kept. %s", error)
        except Exception:
            _log.exception("failed sign-ins could not be added to the audit log; they are kept")

    def _add(self, failure: Failure, number: int) -> None:
        place = self._limits.place(failure, self._counts)
        self._counts[place] = self._counts.get(place, 0) + number


async def _store(uow: UnitOfWork, counts: Mapping[Failure, int]) -> None:
    """Add the numbers to the entries of this hour, in one transaction. One process at a time does this."""
    entries = uow.audit_entries
    async with uow:
        await entries.lock_counts()
        now = await uow.server_time()
        # A failure may have to be counted with wider ones, so these are looked for, too.
        ids = {each: _id(now, each) for failure in counts for each in _with_wider(failure)}
        known = await entries.existing(ids.values())
        existing = {failure for failure, entry_id in ids.items() if entry_id in known}
        limits = FailureLimits(await entries.known_parts(ACTIONS, start_of_hour(now)))
        placed: dict[Failure, int] = {}
        for failure, number in counts.items():
            place = limits.place(failure, existing)
            existing.add(place)
            placed[place] = placed.get(place, 0) + number
        rows = [
            entries.row(_entry(failure), id=ids[failure], times=number, ip_address=failure.address)
            for failure, number in placed.items()
        ]
        await entries.count(rows)
        await uow.commit()


def _with_wider(failure: Failure) -> list[Failure]:
    found: list[Failure] = []
    each: Failure | None = failure
    while each is not None:
        found.append(each)
        each = each.wider()
    return found


def _entry(failure: Failure) -> AuditEntry:
    subject = Subject.user(*failure.user) if failure.user is not None else None
    return AuditEntry(failure.action, subject)


def _id(now: datetime, failure: Failure) -> UUID:
    user = str(failure.user.id) if failure.user is not None else ""
    return counted_id(now, failure.action, user, failure.address or "")
