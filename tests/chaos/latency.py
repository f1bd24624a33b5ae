"""One writer at one process and one listener at the other: the time of a write, and the delay of its event."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tests.chaos.stack import PASSWORD, Stack
from tests.support.waiting import HANG_SECONDS
from verification.client.account import Account
from verification.client.follower import Follower, Recorder
from verification.client.writer import Known, TaskWriter
from verification.history import Item, Listener

PAUSE_SECONDS = 0.015
FEWEST_WRITES = 3


@dataclass(frozen=True)
class Stretch:
    """Measurements of one interval."""

    writes: list[float]
    """Seconds from asking to the answer."""
    lags: list[float]
    """Seconds from the answer to the listener."""

    @property
    def median_write(self) -> float:
        """In seconds."""
        return statistics.median(self.writes)

    def line(self) -> str:
        """One line of text."""
        return (
            f"writes median {1000 * self.median_write:.1f} ms, slowest {1000 * max(self.writes):.0f} ms;"
            f" events late median {1000 * statistics.median(self.lags):.0f} ms, most {1000 * max(self.lags):.0f} ms"
        )


class SteadyWriter:
    """Writes continuously, one change after another, to one task."""

    def __init__(self, writer: TaskWriter, task: Known, recorder: Recorder) -> None:
        self.writer = writer
        self.recorder = recorder
        self.stopping = False
        self._task = task

    async def go_on(self) -> None:
        """Write until stopped."""
        while not self.stopping:
            await self.writer.edit(self._task)
            await asyncio.sleep(PAUSE_SECONDS)

    async def stop(self, writing: "asyncio.Task[None]", head: Callable[[], Awaitable[int]]) -> None:
        """Stop after the running write, and after all events were delivered."""
        self.stopping = True
        await writing
        last = await head()
        async with asyncio.timeout(HANG_SECONDS):
            while self.recorder.position < last:
                await asyncio.sleep(0.005)

    async def stretch(self, seconds: float) -> Stretch:
        """Measure for a while and for a few writes, and wait until all their events have arrived."""
        first = len(self.writer.writes)
        await asyncio.sleep(seconds)
        async with asyncio.timeout(HANG_SECONDS):
            while len(self.writer.writes) < first + FEWEST_WRITES:
                await asyncio.sleep(0.005)
        last = len(self.writer.writes)
        async with asyncio.timeout(HANG_SECONDS):
            while len(self._items()) < last:
                await asyncio.sleep(0.005)
        writes, items = self.writer.writes[first:last], self._items()[first:last]
        return Stretch(
            [write.acked - write.begun for write in writes],
            # Written down after the answer was read, an item may be there already.
            [max(0.0, item.received - write.acked) for write, item in zip(writes, items, strict=True)],
        )

    def _items(self) -> list[Item]:
        return [item for connection in self.recorder.listener.connections for item in connection.items]


@asynccontextmanager
async def steady_writes(
    stack: Stack, name: str, *, write_at: int = 0, listen_at: int = 1
) -> AsyncIterator[SteadyWriter]:
    """A writer that runs as long as the block."""
    user = await stack.a_user(name)
    places = [process.api for process in stack.processes]
    recorder = Recorder(Listener(name, user.id), time.monotonic)
    follower = Follower(
        Account(lambda: places[listen_at], name, PASSWORD), lambda: places[listen_at], recorder, longest_pause=0.3
    )
    writer = TaskWriter(Account(lambda: places[write_at], name, PASSWORD), name)
    listening = asyncio.create_task(follower.run())
    async with asyncio.timeout(HANG_SECONDS):
        while recorder.position < 0:
            await asyncio.sleep(0.01)
    task = await writer.create()
    assert task is not None
    steady = SteadyWriter(writer, task, recorder)
    writing = asyncio.create_task(steady.go_on())
    try:
        yield steady
        await steady.stop(writing, stack.head)
    finally:
        for each in (writing, listening):
            each.cancel()
        await asyncio.gather(writing, listening, return_exceptions=True)
