"""Replays past events: recent ones from memory, older ones from the log."""

import asyncio
import logging
from collections import deque
from collections.abc import Iterable
from itertools import islice
from typing import Final

from domain.errors import Unavailable
from domain.events import LoggedEvent
from persistence.database import Database
from streaming.asyncio_helpers import Backoff
from streaming.counters import Counters

KEPT: Final = 2_000

PAGE: Final = 200
READERS: Final = 2
"""At a time, so that a crowd which comes back leaves connections to numbering and to the sweep."""

_log: Final = logging.getLogger("taskriver.stream")


class RecentEvents:
    """A dense end of what this process has told, at most so many events."""

    def __init__(self, kept: int = KEPT) -> None:
        self._events: deque[LoggedEvent] = deque(maxlen=kept)

    def add(self, events: Iterable[LoggedEvent]) -> None:
        """Remember what follows the last one."""
        self._events.extend(events)

    def clear(self) -> None:
        """Forget everything: what comes next does not follow it."""
        self._events.clear()

    def after(self, position: int, at_most: int) -> list[LoggedEvent]:
        """The events behind a position, in order; none if the first of them is not here."""
        if not self._events or position + 1 < self._events[0].position:
            return []
        start = position + 1 - self._events[0].position
        return list(islice(self._events, start, start + at_most))


class Replay:
    """Pages of the log."""

    def __init__(self, database: Database, counters: Counters) -> None:
        self._database = database
        self._counters = counters
        self._readers = asyncio.Semaphore(READERS)
        self.recent = RecentEvents()

    async def page(self, position: int) -> list[LoggedEvent]:
        """Up to 200 events behind a position, in order. While the database is away this waits, however long."""
        self._counters.replays += 1
        return self.recent.after(position, PAGE) or await self._stored(position)

    async def _stored(self, position: int) -> list[LoggedEvent]:
        backoff = Backoff()
        while True:
            try:
                return await self._read(position)
            except Unavailable:
                pass  # the sweep says so, once for everybody
            except Exception:
                _log.exception("reading the log back failed, and is tried again")
            await backoff.pause()

    async def _read(self, position: int) -> list[LoggedEvent]:
        async with self._readers, self._database.log() as log:
            return await log.after(position, at_most=PAGE)
