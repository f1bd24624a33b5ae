"""Reads the event log for one process: executes the requests of `Tail`, and dispatches new events."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from domain.events import LoggedEvent
from persistence.database import Database
from persistence.epoch import OtherServer
from persistence.event_log import Head
from streaming.asyncio_helpers import BroadcastEvent, FairScheduler, WakeEvent
from streaming.counters import Counters
from streaming.history import History, Verdict
from streaming.lease import Clock, Lease
from streaming.numbering import Numberer
from streaming.stream_items import ResyncReason
from streaming.tail import NumberEvents, ReadAccessEvents, ReadHead, ReadPage, Request, Tail
from streaming.write_times import WriteTimes

PAGE_SIZE: Final = 500
SLICE_EVENTS: Final = 50
"""Events that are dispatched before other work of the process gets its turn, at most."""
SLICE_CHECKS: Final = 5_000
"""Events times subscribers that check them, at most, unless it is a single event."""
MAX_BATCHES: Final = 64
"""Batches that wait. If more arrive, they are dropped and read from the log instead."""
MAX_VERDICTS: Final = 5
"""Observations of one read of the head. Each change of the log by another process costs one."""


@dataclass(frozen=True, slots=True)
class Listeners:
    """Callbacks, called in this order. They must not block."""

    on_access: Callable[[LoggedEvent], None]
    on_events: Callable[[Sequence[LoggedEvent]], None]
    on_break: Callable[[ResyncReason], None]
    count: Callable[[], int]
    """The number of subscribers that check each event."""


class LogReader:
    """Runs `Tail`: polls the log as it requests, and keeps an inbox of batches."""

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
        self._history = History()
        self._inbox: deque[tuple[Sequence[LoggedEvent], float | None]] = deque()
        self.write_times = WriteTimes(counters)
        self.scheduler = FairScheduler(self.write_times.record_soon)
        self._batch_arrived, self._poll_requested, self._renewed = WakeEvent(), WakeEvent(), BroadcastEvent()
        self._dispatching = asyncio.Lock()

    def offer(self, batch: Sequence[LoggedEvent], *, complete_since: float | None = None) -> None:
        """Dispatch a batch now, or soon if it is large or others are being dispatched. Does not wait.

        *complete_since* is an instant: everything committed before it has a position up to the end of the batch.
        """
        if not self._inbox and not self._dispatching.locked() and 0 < len(batch) <= self._slice_size():
            self._dispatch_slice(batch, complete_since)
            return
        if len(self._inbox) >= MAX_BATCHES:
            self._inbox.clear()
            self.read_soon()
        self._inbox.append((batch, complete_since))
        self._batch_arrived.set()

    def read_soon(self) -> None:
        """Read the log soon, because something may have been missed."""
        self.tail.request_check()
        self._poll_requested.set()

    async def wait_trusted(self) -> None:
        """Wait until cached rights may be trusted. Usually this returns at once."""
        while not self.lease.fresh:
            await self._renewed.wait()
            await self.scheduler.wait_turn()

    async def wait_caught_up(self) -> None:
        """Wait until the log is read up to where it reached at the time of this call."""
        started_at = self._clock()
        while self.lease.since <= started_at:
            self.read_soon()
            await self._renewed.wait()

    async def dispatch_step(self) -> None:
        """Wait for batches, and dispatch them."""
        await self._batch_arrived.wait()
        while self._inbox:
            await self._dispatch(*self._inbox.popleft())

    async def poll_step(self) -> None:
        """Wait until the tail has a request, and execute its requests.

        Raises:
            Unavailable: the database does not answer.
        """
        await self._poll_requested.wait(self.tail.seconds_until_request(self._clock()))
        await self.catch_up()

    async def catch_up(self) -> None:
        """Execute the requests of the tail until there are none.

        Raises:
            Unavailable: the database does not answer.
        """
        while (request := self.tail.next_request(self._clock())) is not None:
            await self._execute(request)

    async def _execute(self, request: Request) -> None:
        try:
            await self._execute_now(request, self._clock())
        except OtherServer:
            self.tail.server_changed()
            raise

    async def _execute_now(self, request: Request, started_at: float) -> None:
        match request:
            case ReadHead():
                await self._read_head(request, started_at)
            case NumberEvents():
                await self._numberer.drain()
                self.tail.events_numbered(started_at=started_at)
            case ReadAccessEvents():
                await self._read_access_events(request)
            case ReadPage():
                await self._read_page(request)

    async def _read_head(self, request: ReadHead, started_at: float) -> None:
        head = await self._observe(request)
        since = self.lease.since
        reason = self.tail.head_read(request, head, started_at=started_at, now=self._clock())
        if reason is not None:
            self._listeners.on_break(reason)
        self._notify_renewed(since)

    async def _observe(self, request: ReadHead) -> Head:
        """The head of a log that continues the history of the tail, or of a new epoch.

        Raises:
            OtherServer: another server answered, or another process has to decide first.
        """
        async with self._database.log() as log:
            for _ in range(MAX_VERDICTS):
                seen = await log.observe(request.dispatched)
                match self._history.judge(self.tail.epoch, request, seen, self._clock()):
                    case Verdict.CONTINUE:
                        self._history.accept(seen.server)
                        self._database.log_server.accept(seen.server)
                        return seen.head
                    case Verdict.REMEMBER:
                        await log.remember(seen)
                    case Verdict.NEW_EPOCH:
                        await log.begin_epoch_on(seen)
            raise OtherServer("The database server changes repeatedly; try again in a moment.")

    async def _read_access_events(self, request: ReadAccessEvents) -> None:
        async with self._database.log() as log:
            events = await log.access_between(request.after, request.up_to, at_most=PAGE_SIZE)
        self._apply_access(events, request.up_to if len(events) < PAGE_SIZE else events[-1].position)

    async def _read_page(self, request: ReadPage) -> None:
        async with self._database.log() as log:
            page = await log.after(request.after, at_most=PAGE_SIZE)
        reason = self.tail.page_read(page)
        if reason is not None:
            self._listeners.on_break(reason)
        await self._dispatch(page)

    async def _dispatch(self, batch: Sequence[LoggedEvent], complete_since: float | None = None) -> None:
        # One batch at a time: two that alternate would look like gaps to each other.
        async with self._dispatching:
            size = self._slice_size()
            for start in range(0, len(batch), size):
                if start:
                    await asyncio.sleep(0)
                self._dispatch_slice(
                    batch[start : start + size], complete_since if start + size >= len(batch) else None
                )

    def _slice_size(self) -> int:
        return max(1, min(SLICE_EVENTS, SLICE_CHECKS // max(1, self._listeners.count())))

    def _dispatch_slice(self, batch: Sequence[LoggedEvent], complete_since: float | None) -> None:
        dispatched = self.tail.offer(batch)
        if dispatched:
            self._counters.dispatched += len(dispatched)
            if complete_since is not None and len(dispatched) == len(batch):
                self.tail.mark_complete(dispatched[-1].position, complete_since)
            self._apply_access(dispatched, dispatched[-1].position)
            self._listeners.on_events(dispatched)
        elif batch[-1].position > self.tail.dispatched:
            self._counters.gaps += 1
            self._poll_requested.set()

    def _apply_access(self, events: Sequence[LoggedEvent], up_to: int) -> None:
        since = self.lease.since
        for logged in self.tail.take_access_events(events, up_to):
            self._listeners.on_access(logged)
        self._notify_renewed(since)

    def _notify_renewed(self, since: float) -> None:
        if self.lease.since > since:
            self._renewed.notify_all()
