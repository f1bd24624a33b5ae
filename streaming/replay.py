"""Replays past events: recent ones from memory, older ones from the log."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from itertools import islice
from typing import Final, TypeVar

from domain.errors import Unavailable
from domain.events import LoggedEvent
from persistence.database import Database
from persistence.event_log import EventLog
from streaming.asyncio_helpers import Backoff
from streaming.counters import Counters

ResultT = TypeVar("ResultT")

MAX_RECENT: Final = 2_000

PAGE_SIZE: Final = 200
MAX_READERS: Final = 2
"""Reads that run at the same time. When many clients resume at once, other work of the log needs connections, too."""

_log: Final = logging.getLogger("taskriver.stream")


class RecentEvents:
    """The latest events that this process dispatched, without gaps, up to a maximum count."""

    def __init__(self, max_events: int = MAX_RECENT) -> None:
        self._events: deque[LoggedEvent] = deque(maxlen=max_events)

    def add(self, events: Iterable[LoggedEvent]) -> None:
        """Append events that directly follow the last one."""
        self._events.extend(events)

    def clear(self) -> None:
        """Remove all events, because the next ones do not follow the last one."""
        self._events.clear()

    def after(self, position: int, at_most: int) -> list[LoggedEvent]:
        """The events after a position, in order; empty if the first of them is not in memory."""
        if not self._events or position + 1 < self._events[0].position:
            return []
        start = position + 1 - self._events[0].position
        return list(islice(self._events, start, start + at_most))

    def fingerprint_at(self, position: int) -> int | None:
        """The fingerprint of the event at a position; None if it is not in memory, or has none."""
        index = position - self._events[0].position if self._events else -1
        return self._events[index].fingerprint if 0 <= index < len(self._events) else None


class Replay:
    """Reads pages of past events."""

    def __init__(self, database: Database, counters: Counters) -> None:
        self._database = database
        self._counters = counters
        self._readers = asyncio.Semaphore(MAX_READERS)
        self.recent = RecentEvents()

    async def page(self, position: int) -> list[LoggedEvent]:
        """Up to 200 events after a position, in order. Waits while the database is unavailable."""
        self._counters.replays += 1
        return self.recent.after(position, PAGE_SIZE) or await self._read(lambda log: _page(log, position))

    async def fingerprint_at(self, position: int) -> int | None:
        """The fingerprint at a position, read from the log; None if it is unknown. Waits as `page` does."""
        return await self._read(lambda log: log.fingerprint_at(position))

    async def _read(self, read: Callable[[EventLog], Awaitable[ResultT]]) -> ResultT:
        backoff = Backoff()
        while True:
            try:
                async with self._readers, self._database.log() as log:
                    return await read(log)
            except Unavailable:
                pass  # poll_step logs this once for the process
            except Exception:
                _log.exception("reading past events failed; trying again")
            await backoff.pause()


def _page(log: EventLog, position: int) -> Awaitable[list[LoggedEvent]]:
    return log.after(position, at_most=PAGE_SIZE)
