"""Removing what has had its time."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.idempotency import KEPT_FOR
from persistence.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Removed:
    """How many rows a clean-up removed."""

    sessions: int
    events: int
    keys: int


async def clean_up(uow: UnitOfWork, *, event_retention: timedelta) -> Removed | None:
    """Remove expired sessions, the used tokens of each with it, idempotency keys of yesterday, and old events.

    None if another process is at it.
    """
    async with uow:
        if not await uow.try_lock("cleanup"):
            return None
        sessions = await uow.sessions.remove_expired(uow.now)
        keys = await uow.keys.remove_older(uow.now - KEPT_FOR)
        await uow.commit()
    events = 0
    while removed := await _trim(uow, recorded_before=uow.now - event_retention):
        events += removed
    return Removed(sessions, events, keys)


async def _trim(uow: UnitOfWork, *, recorded_before: datetime) -> int:
    """One step in a transaction of its own: while it holds the log's head, nothing is numbered."""
    async with uow:
        removed = await uow.events.trim(recorded_before) if await uow.try_lock("cleanup") else 0
        await uow.commit()
    return removed
