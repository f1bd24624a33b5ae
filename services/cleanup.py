"""Removes expired sessions and access tokens, old events and idempotency keys, and tasks that were deleted long ago."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from domain.access_token import KEPT_AFTER_EXPIRY
from domain.idempotency import RETENTION
from persistence.unit_of_work import UnitOfWork

BATCH_SIZE: Final = 500
"""Deleted tasks that one transaction removes."""
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


async def clean_up(
    uow: UnitOfWork, *, event_retention: timedelta, trash_retention: timedelta = TRASH_RETENTION
) -> Removed | None:
    """Remove expired sessions with their used tokens, old events, old trash, and what is older than 30 days of expired
    access tokens and of idempotency keys.

    Ages are measured with the database's clock. Returns None if another process is cleaning up.

    Raises:
        ClocksDiffer: this process's clock differs too much.
    """
    async with uow:
        if not await uow.try_lock("cleanup"):
            return None
        await _check_clocks(uow)
        now = await uow.server_time()
        sessions = await uow.sessions.remove_expired(now)
        tokens = await uow.access_tokens.remove_expired(now - KEPT_AFTER_EXPIRY)
        keys = await uow.keys.remove_older(now - RETENTION)
        await uow.commit()
    events = 0
    while removed := await _trim(uow, recorded_before=now - event_retention):
        events += removed
    tasks = 0
    while removed := await _empty_trash(uow, deleted_before=now - trash_retention):
        tasks += removed
    return Removed(sessions, tokens, events, keys, tasks)


async def _empty_trash(uow: UnitOfWork, *, deleted_before: datetime) -> int:
    """One step, in its own transaction: a restoration waits for a short time only."""
    async with uow:
        removed = await uow.trash.remove_older(deleted_before, at_most=BATCH_SIZE)
        await uow.commit()
    return removed


async def _check_clocks(uow: UnitOfWork) -> None:
    ahead = await uow.server_is_ahead()
    if abs(ahead) > MAX_CLOCK_DIFFERENCE:
        raise ClocksDiffer(ahead)


async def _trim(uow: UnitOfWork, *, recorded_before: datetime) -> int:
    """One step, in its own transaction: no event gets a position while a step holds the lock on the head of the log."""
    async with uow:
        removed = await uow.events.trim(recorded_before) if await uow.try_lock("cleanup") else 0
        await uow.commit()
    return removed
