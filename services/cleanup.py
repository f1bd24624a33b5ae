"""Removing what has had its time."""

from dataclasses import dataclass
from datetime import timedelta

from persistence.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Removed:
    """How many rows a clean-up removed."""

    sessions: int
    events: int


async def clean_up(uow: UnitOfWork, *, event_retention: timedelta) -> Removed | None:
    """Remove expired sessions, the used tokens of each with it, and old events.

    None if another process is at it.
    """
    async with uow:
        if not await uow.try_lock("cleanup"):
            return None
        sessions = await uow.sessions.remove_expired(uow.now)
        events = await uow.events.trim(uow.now - event_retention)
        await uow.commit()
    return Removed(sessions, events)
