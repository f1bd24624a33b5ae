"""Giving committed events their positions: one hand at a time, never waiting for anything but the database."""

import asyncio
from collections.abc import Callable
from typing import Final

from graphql_api.realtime.floor import Floor
from graphql_api.realtime.knock import Knock
from graphql_api.realtime.lease import Clock
from persistence.engine import Database
from persistence.event_log import Numbered

AT_MOST: Final = 500
PAUSE_SECONDS: Final = 0.005

OnBatch = Callable[[Numbered, float | None], None]
"""Called with a batch, and an instant: what was committed before it has a position now. None if there may be more."""


class Numberer:
    """Numbers what was committed when it is rung, and hands each batch on."""

    def __init__(self, database: Database, on_batch: OnBatch, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._on_batch = on_batch
        self._rung = Knock()
        self._hand = asyncio.Lock()
        self._floor = Floor()

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
