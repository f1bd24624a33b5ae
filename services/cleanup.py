"""Removes expired sessions and access tokens, old events, keys, deleted tasks, and entries of the audit log."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from domain.access_token import KEPT_AFTER_EXPIRY
from domain.audit import RETENTION as AUDIT_RETENTION
from domain.audit import AuditAction, AuditEntry, Detail
from domain.idempotency import RETENTION
from domain.invitation import KEPT_AFTER_EXPIRY as INVITATIONS_KEPT
from domain.mail import RETENTION as MAIL_RETENTION
from persistence.unit_of_work import UnitOfWork

BATCH_SIZE: Final = 500
"""Deleted tasks, or entries of the audit log, that one transaction removes."""
TRASH_RETENTION: Final = timedelta(days=30)
"""How long deleted tasks can be restored, if nothing else is set."""
MAX_CLOCK_DIFFERENCE: Final = timedelta(minutes=1)
"""Between the clocks of this process and of the database. With a larger difference the age of rows is uncertain."""


class ClocksDiffer(Exception):
    """Nothing was removed, because the clocks of this machine and of the database differ."""

    def __init__(self, ahead: timedelta) -> None:
        seconds, side = abs(ahead.total_seconds()), "behind" if ahead > timedelta() else "ahead of"
        super().__init__(
            f"Nothing was removed: this machine's clock is {seconds:,.0f} s {side} the database's clock. "
            "Configure the same time server (NTP) on both machines."
        )


@dataclass(frozen=True, slots=True)
class Removed:
    """The number of rows that a clean-up removed."""

    sessions: int
    tokens: int
    events: int
    keys: int
    tasks: int
    audit_entries: int
    invitations: int = 0
    mails: int = 0


@dataclass(slots=True)
class _Run:
    """A clean-up. Its first transaction that removes something adds the entry of the audit log."""

    before: dict[str, Detail]
    is_noted: bool = field(default=False)

    def note(self, uow: UnitOfWork, removed: int) -> None:
        if removed and not self.is_noted:
            self.is_noted = True
            uow.audit(AuditEntry(AuditAction.CLEANED_UP, details=self.before))


async def clean_up(
    uow: UnitOfWork,
    *,
    event_retention: timedelta,
    trash_retention: timedelta = TRASH_RETENTION,
    audit_retention: timedelta = AUDIT_RETENTION,
    mail_retention: timedelta = MAIL_RETENTION,
) -> Removed | None:
    """Remove expired sessions with their used tokens, old events, old trash, old entries of the audit log, old mails,
    expired links, and what is older than 30 days of expired access tokens, of invitations and of idempotency keys.

    Ages are measured with the database's clock. Returns None if another process is cleaning up. If something is
    removed, the audit log has an entry with the times before which everything is.

    Raises:
        ClocksDiffer: this process's clock differs too much.
    """
    async with uow:
        if not await uow.try_lock("cleanup"):
            return None
        await _check_clocks(uow)
        now = await uow.server_time()
        events_before, trash_before, audit_before = now - event_retention, now - trash_retention, now - audit_retention
        mails_before, invitations_before = now - mail_retention, now - INVITATIONS_KEPT
        run = _Run(
            {
                "sessionsExpiredBefore": now.isoformat(),
                "accessTokensExpiredBefore": (now - KEPT_AFTER_EXPIRY).isoformat(),
                "keysBefore": (now - RETENTION).isoformat(),
                "eventsBefore": events_before.isoformat(),
                "deletedTasksBefore": trash_before.isoformat(),
                "auditBefore": audit_before.isoformat(),
                "mailsBefore": mails_before.isoformat(),
                "invitationsExpiredBefore": invitations_before.isoformat(),
            }
        )
        sessions = await uow.sessions.remove_expired(now)
        tokens = await uow.access_tokens.remove_expired(now - KEPT_AFTER_EXPIRY)
        keys = await uow.keys.remove_older(now - RETENTION)
        await uow.single_uses.remove_expired(now)
        invitations = await uow.invitations.remove_expired(invitations_before)
        links = await uow.link_tokens.remove_expired(now)
        run.note(uow, sessions + tokens + keys + invitations + links)
        await uow.commit()
    events = 0
    while removed := await _trim(uow, run, recorded_before=events_before):
        events += removed
    tasks = 0
    while removed := await _empty_trash(uow, run, deleted_before=trash_before):
        tasks += removed
    entries = 0
    while removed := await _trim_audit(uow, run, before=audit_before):
        entries += removed
    mails = 0
    while removed := await _trim_mails(uow, run, before=mails_before):
        mails += removed
    return Removed(sessions, tokens, events, keys, tasks, entries, invitations, mails)


async def _empty_trash(uow: UnitOfWork, run: _Run, *, deleted_before: datetime) -> int:
    """One step, in its own transaction: a restoration waits for a short time only."""
    async with uow:
        removed = await uow.trash.remove_older(deleted_before, at_most=BATCH_SIZE)
        run.note(uow, removed)
        await uow.commit()
    return removed


async def _trim_audit(uow: UnitOfWork, run: _Run, *, before: datetime) -> int:
    async with uow:
        removed = await uow.audit_entries.remove_older(before, at_most=BATCH_SIZE)
        run.note(uow, removed)
        await uow.commit()
    return removed


async def _trim_mails(uow: UnitOfWork, run: _Run, *, before: datetime) -> int:
    async with uow:
        removed = await uow.mails.remove_older(before, at_most=BATCH_SIZE)
        run.note(uow, removed)
        await uow.commit()
    return removed


async def _check_clocks(uow: UnitOfWork) -> None:
    ahead = await uow.server_is_ahead()
    if abs(ahead) > MAX_CLOCK_DIFFERENCE:
        raise ClocksDiffer(ahead)


async def _trim(uow: UnitOfWork, run: _Run, *, recorded_before: datetime) -> int:
    """One step, in its own transaction: no event gets a position while a step holds the lock on the head of the log."""
    async with uow:
        removed = await uow.events.trim(recorded_before) if await uow.try_lock("cleanup") else 0
        run.note(uow, removed)
        await uow.commit()
    return removed
