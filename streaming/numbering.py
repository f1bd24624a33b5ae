"""Assigns positions to committed events, and raises the id below which numbering need not search."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from persistence.database import Database
from persistence.event_log import EventLog, Numbered
from persistence.numbering_floor import LastId, Writers
from streaming.asyncio_helpers import WakeEvent
from streaming.lease import Clock

FLOOR_EVENTS: Final = 2_000
"""Numbered events after which the floor is advanced."""
FLOOR_SECONDS: Final = 5.0
"""Time after which the floor is advanced, if events were numbered since."""

BATCH_SIZE: Final = 500
PAUSE_SECONDS: Final = 0.005

OnBatch = Callable[[Numbered, float | None, float | None], None]
"""Receives a batch, an instant, and a time. All events committed before the instant have positions; None if there may
be more. The time is that of the oldest commit of this process since numbering began last, in seconds since 1970; None
if there was none.
"""


class NumberingFloor:
    """Raises the numbering floor. Each process may do so, because an observation stays true.

    It takes two observations. The first records the last committed id, and *then* the transactions that have written
    events and have not ended. Once a later one finds none of these transactions, every event up to that id is
    committed, or never will be. Transactions that have written no event do not matter, however long they are open.
    """

    def __init__(self) -> None:
        self._observed: tuple[LastId, Writers] | None = None
        self._events = 0
        self._advanced_at = float("-inf")

    def count_numbered(self, numbered: int) -> None:
        """Count newly numbered events."""
        self._events += numbered

    def is_due(self, now: float) -> bool:
        """Whether it is time for the next observation."""
        return self._events >= FLOOR_EVENTS or (self._events > 0 and now - self._advanced_at >= FLOOR_SECONDS)

    async def advance(self, log: EventLog, now: float) -> None:
        """Raise the floor to the recorded id if the recorded transactions have ended; then record the present state."""
        self._events, self._advanced_at = 0, now
        last_id = await log.last_id()
        writers = await log.writers()
        if self._observed is not None:
            observed_id, observed_writers = self._observed
            if writers.may_include(observed_writers):
                return
            await log.raise_floor(observed_id)
        self._observed = last_id, writers


class Numberer:
    """Numbers committed events when it is woken, and passes each batch on."""

    def __init__(self, database: Database, on_batch: OnBatch, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._on_batch = on_batch
        self._wake = WakeEvent()
        self._lock = asyncio.Lock()
        self._floor = NumberingFloor()
        self._committed_at: float | None = None

    def wake(self) -> None:
        """Report that something was committed, without waiting. Calls during a run cause one more run."""
        if self._committed_at is None:
            self._committed_at = time.time()
        self._wake.set()

    async def step(self) -> None:
        """Wait for `wake`, then number events.

        Raises:
            Unavailable: the database does not answer; polling numbers the events later.
        """
        await self._wake.wait()
        await self.drain()
        if self._floor.is_due(self._clock()):
            await self._raise_floor()
        # A short pause: under load, one transaction then numbers the events of many commits.
        await asyncio.sleep(PAUSE_SECONDS)

    async def drain(self) -> None:
        """Number everything that was committed before this call.

        Raises:
            Unavailable: the database does not answer.
        """
        async with self._lock:
            committed_at, self._committed_at = self._committed_at, None
            try:
                while await self._batch(committed_at) == BATCH_SIZE:
                    pass
            except BaseException:
                self._committed_at = committed_at or self._committed_at
                raise

    async def _raise_floor(self) -> None:
        async with self._database.log() as log:
            await self._floor.advance(log, self._clock())

    async def _batch(self, committed_at: float | None) -> int:
        async with self._database.log() as log:
            started_at = self._clock()
            batch = await log.number(BATCH_SIZE)
        count = len(batch.events)
        if count:
            self._floor.count_numbered(count)
            self._on_batch(batch, started_at if count < BATCH_SIZE else None, committed_at)
        return count
