"""Removing what has had its time."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from domain.idempotency import KEPT_FOR
from persistence.unit_of_work import UnitOfWork

MOST_DIFFERENCE: Final = timedelta(minutes=1)
"""Between this process's clock and the database's: with more of it nobody can say what is old."""


class ClocksDiffer(Exception):
    """Nothing was removed, since the clocks of this machine and of the database's differ."""

    def __init__(self, ahead: timedelta) -> None:
        seconds, side = abs(ahead.total_seconds()), "behind" if ahead > timedelta() else "ahead of"
        super().__init__(
            f"Nothing was removed: this machine's clock is {seconds:,.0f} s {side} the database's. "
            "Let both machines ask the same time server (NTP)."
        )


@dataclass(frozen=True, slots=True)
class Removed:
    """How many rows a clean-up removed."""

    sessions: int
    events: int
    keys: int


async def clean_up(uow: UnitOfWork, *, event_retention: timedelta) -> Removed | None:
    """Remove expired sessions, the used tokens of each with it, idempotency keys of yesterday, and old events.

    What is old is said by the database's clock. None if another process is at it.

    Raises:
        ClocksDiffer: this process's clock says something else.
    """
    async with uow:
        if not await uow.try_lock("cleanup"):
            return None
        await _check_clocks(uow)
        now = await uow.server_time()
        sessions = await uow.sessions.remove_expired(now)
        keys = await uow.keys.remove_older(now - KEPT_FOR)
        await uow.commit()
    events = 0
    while removed := await _trim(uow, recorded_before=now - event_retention):
        events += removed
    return Removed(sessions, events, keys)


async def _check_clocks(uow: UnitOfWork) -> None:
    ahead = await uow.server_is_ahead()
    if abs(ahead) > MOST_DIFFERENCE:
        raise ClocksDiffer(ahead)


async def _trim(uow: UnitOfWork, *, recorded_before: datetime) -> int:
    """One step in a transaction of its own: while it holds the log's head, nothing is numbered."""
    async with uow:
        removed = await uow.events.trim(recorded_before) if await uow.try_lock("cleanup") else 0
        await uow.commit()
    return removed
