"""Assigns positions to committed events, and raises the id below which numbering need not look."""

import asyncio
from collections.abc import Callable
from typing import Final

from persistence.database import Database
from persistence.event_log import EventLog, Numbered
from persistence.numbering import LastId, Writers
from streaming.asyncio_helpers import WakeEvent
from streaming.lease import Clock

EVENTS: Final = 2_000
"""After so many numbered events it is time to look again."""
SECONDS: Final = 5.0
"""Or after so long, if any were."""

AT_MOST: Final = 500
PAUSE_SECONDS: Final = 0.005

OnBatch = Callable[[Numbered, float | None], None]
"""Called with a batch, and an instant: what was committed before it has a position now. None if there may be more."""


class NumberingFloor:
    """One process's part in it; each may raise the floor, since what it has found stays true.

    It takes two looks. The first notes the last id that is committed, and *then* which transactions have written
    events and not ended. As soon as a later look finds none of these, all events up to that id are committed, or never
    will be.
    Transactions that have not written an event are not waited for, however long they are open.
    """

    def __init__(self) -> None:
        self._noted: tuple[LastId, Writers] | None = None
        self._events = 0
        self._looked_at = float("-inf")

    def note(self, numbered: int) -> None:
        """So many events were given their positions."""
        self._events += numbered

    def is_due(self, now: float) -> bool:
        """Whether it is time for another look."""
        return self._events >= EVENTS or (self._events > 0 and now - self._looked_at >= SECONDS)

    async def look(self, log: EventLog, now: float) -> None:
        """Raise the floor to what was noted, if those who wrote then have ended, and note what is true now."""
        self._events, self._looked_at = 0, now
        last_id = await log.last_id()
        writers = await log.writers()
        if self._noted is not None:
            noted_id, noted_writers = self._noted
            if writers.may_include(noted_writers):
                return
            await log.raise_floor(noted_id)
        self._noted = last_id, writers


class Numberer:
    """Numbers what was committed when it is rung, and hands each batch on."""

    def __init__(self, database: Database, on_batch: OnBatch, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._on_batch = on_batch
        self._rung = WakeEvent()
        self._hand = asyncio.Lock()
        self._floor = NumberingFloor()

    def ring(self) -> None:
        """Something was committed; returns at once. Rings during a run are answered by one more run."""
        self._rung.set()

    async def step(self) -> None:
        """Wait for a ring and answer it.

        Raises:
            Unavailable: the database is; the sweep will find what stays without a position.
        """
        await self._rung.wait()
        await self.drain()
        if self._floor.is_due(self._clock()):
            await self._raise_floor()
        # Who rings now waits a moment for others: under load one transaction then numbers what all of them committed.
        await asyncio.sleep(PAUSE_SECONDS)

    async def drain(self) -> None:
        """Number everything that was committed before this was called.

        Raises:
            Unavailable: the database cannot answer.
        """
        async with self._hand:
            while await self._batch() == AT_MOST:
                pass

    async def _raise_floor(self) -> None:
        async with self._database.log() as log:
            await self._floor.look(log, self._clock())

    async def _batch(self) -> int:
        async with self._database.log() as log:
            asked_at = self._clock()
            batch = await log.number(AT_MOST)
        count = len(batch.events)
        if count:
            self._floor.note(count)
            self._on_batch(batch, asked_at if count < AT_MOST else None)
        return count
