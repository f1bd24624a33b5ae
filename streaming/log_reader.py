"""The one watch that a process keeps on the log: it asks what the tail wants to know, and passes on what is told."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from domain.events import LoggedEvent
from persistence.database import Database
from streaming.asyncio_helpers import BroadcastEvent, FairScheduler, WakeEvent
from streaming.counters import Counters
from streaming.lease import Clock, Lease
from streaming.numbering import Numberer
from streaming.stream_items import ResyncReason
from streaming.tail import Ask, AskAccess, AskHead, AskNumbering, AskPage, Tail

AT_MOST: Final = 500
AT_A_STRETCH: Final = 50
"""Events told before others in this process get their turn, at most."""
LOOKS_AT_A_STRETCH: Final = 5_000
"""Events times those who look at them, unless it is one event."""
WAITING: Final = 64
"""Batches; beyond that the table is the better queue."""


@dataclass(frozen=True, slots=True)
class Listeners:
    """Who is called, in this order, and returns at once."""

    on_access: Callable[[LoggedEvent], None]
    on_told: Callable[[Sequence[LoggedEvent]], None]
    on_break: Callable[[ResyncReason], None]
    count: Callable[[], int]
    """How many there are to look at each event."""


class LogReader:
    """The shell around `Tail`: a sweep that answers its questions, and an inbox of batches."""

    def __init__(
        self, database: Database, numberer: Numberer, counters: Counters, listeners: Listeners, clock: Clock
    ) -> None:
        self._database = database
        self._numberer = numberer
        self._counters = counters
        self._listeners = listeners
        self._clock = clock
        self.lease = Lease(clock)
        self.tail = Tail(self.lease)
        self._inbox: deque[tuple[Sequence[LoggedEvent], float | None]] = deque()
        self.turns = FairScheduler()
        self._mail, self._knock, self._renewed = WakeEvent(), WakeEvent(), BroadcastEvent()
        self._telling = asyncio.Lock()

    def offer(self, batch: Sequence[LoggedEvent], *, whole_since: float | None = None) -> None:
        """Have a batch told as soon as may be; returns at once.

        *whole_since* is an instant: nothing that was committed before it lies behind the batch.
        """
        if len(self._inbox) >= WAITING:
            self._inbox.clear()
            self.hurry()
        self._inbox.append((batch, whole_since))
        self._mail.set()

    def hurry(self) -> None:
        """Something may have been missed: read the log now."""
        self.tail.hurry()
        self._knock.set()

    async def trusted(self) -> None:
        """Wait until what this process knows of rights may be trusted; mostly that is now."""
        while not self.lease.fresh:
            await self._renewed.wait()
            await self.turns.take()

    async def look(self) -> None:
        """Wait until the log has been read to where it reached when this was called."""
        asked_at = self._clock()
        while self.lease.since <= asked_at:
            self.hurry()
            await self._renewed.wait()

    async def tell_step(self) -> None:
        """Wait for batches, and tell them."""
        await self._mail.wait()
        while self._inbox:
            await self._tell(*self._inbox.popleft())

    async def sweep_step(self) -> None:
        """Wait until the tail wants something, and find it out.

        Raises:
            Unavailable: the database cannot answer.
        """
        await self._knock.wait(self.tail.rest(self._clock()))
        await self.catch_up()

    async def catch_up(self) -> None:
        """Answer the tail until it wants nothing more.

        Raises:
            Unavailable: the database cannot answer.
        """
        while (ask := self.tail.ask(self._clock())) is not None:
            await self._answer(ask)

    async def _answer(self, ask: Ask) -> None:
        asked_at = self._clock()
        match ask:
            case AskHead():
                await self._answer_head(ask, asked_at)
            case AskNumbering():
                await self._numberer.drain()
                self.tail.numbered(asked_at=asked_at)
            case AskAccess():
                await self._answer_access(ask)
            case AskPage():
                await self._answer_page(ask)

    async def _answer_head(self, ask: AskHead, asked_at: float) -> None:
        async with self._database.log() as log:
            head = await log.head()
            if self.tail.outruns(ask, head):
                # It was restored under us. Cursors that others took away lie in a future that never came: without
                # another epoch they would fit again as soon as the log has grown that long.
                await log.begin_epoch(instead_of=head.epoch)
                head = await log.head()
        since = self.lease.since
        reason = self.tail.headed(ask, head, asked_at=asked_at, now=self._clock())
        if reason is not None:
            self._listeners.on_break(reason)
        self._announce(since)

    async def _answer_access(self, ask: AskAccess) -> None:
        async with self._database.log() as log:
            events = await log.access_between(ask.after, ask.up_to, at_most=AT_MOST)
        self._guard(events, ask.up_to if len(events) < AT_MOST else events[-1].position)

    async def _answer_page(self, ask: AskPage) -> None:
        async with self._database.log() as log:
            page = await log.after(ask.after, at_most=AT_MOST)
        reason = self.tail.paged(page)
        if reason is not None:
            self._listeners.on_break(reason)
        await self._tell(page)

    async def _tell(self, batch: Sequence[LoggedEvent], whole_since: float | None = None) -> None:
        # One batch after the other: two that took turns would look like gaps to one another.
        async with self._telling:
            stretch = self._stretch()
            for start in range(0, len(batch), stretch):
                if start:
                    await asyncio.sleep(0)
                self._tell_stretch(
                    batch[start : start + stretch], whole_since if start + stretch >= len(batch) else None
                )

    def _stretch(self) -> int:
        return max(1, min(AT_A_STRETCH, LOOKS_AT_A_STRETCH // max(1, self._listeners.count())))

    def _tell_stretch(self, batch: Sequence[LoggedEvent], whole_since: float | None) -> None:
        told = self.tail.offer(batch)
        if told:
            self._counters.told += len(told)
            if whole_since is not None and len(told) == len(batch):
                self.tail.cover(told[-1].position, whole_since)
            self._guard(told, told[-1].position)
            self._listeners.on_told(told)
        elif batch[-1].position > self.tail.told:
            self._counters.gaps += 1
            self._knock.set()

    def _guard(self, events: Sequence[LoggedEvent], up_to: int) -> None:
        since = self.lease.since
        for logged in self.tail.guard(events, up_to):
            self._listeners.on_access(logged)
        self._announce(since)

    def _announce(self, since: float) -> None:
        if self.lease.since > since:
            self._renewed.beat()
