"""A client that creates a task four times a second, and so measures when writes work."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Final

from tests.support.waiting import HANG_SECONDS
from verification.client.writer import TaskWriter

INTERVAL_SECONDS: Final = 0.25
_MOST_OPEN: Final = 40


class Probe:
    """It does not wait for one request before it sends the next: each one can take as long as its time-out."""

    def __init__(self, writer: TaskWriter) -> None:
        self._writer = writer
        self._open: set[asyncio.Task[object]] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Probe"]:
        """Write as long as the block runs."""
        sending = asyncio.create_task(self._send())
        try:
            yield self
        finally:
            sending.cancel()
            await asyncio.gather(sending, *self._open, return_exceptions=True)

    async def succeeds(self) -> None:
        """Wait for an acknowledged change that begins from now on."""
        since = time.monotonic()
        async with asyncio.timeout(HANG_SECONDS):
            while not any(write.begun > since for write in reversed(self._writer.writes)):
                await asyncio.sleep(0.02)

    def seconds_without_writes(self, begun: float, counted_from: float) -> float:
        """The longest time after *begun* without an acknowledged change, without what is before *counted_from*."""
        acked = sorted(write.acked for write in self._writer.writes)
        longest = max(
            ((after - before, before, after) for before, after in pairwise(acked) if after > begun),
            default=(0.0, begun, begun),
        )
        return max(0.0, longest[2] - max(longest[1], counted_from))

    async def _send(self) -> None:
        while True:
            if len(self._open) < _MOST_OPEN:
                task: asyncio.Task[object] = asyncio.create_task(self._writer.create())
                self._open.add(task)
                task.add_done_callback(self._open.discard)
            await asyncio.sleep(INTERVAL_SECONDS)
