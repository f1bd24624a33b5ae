"""One subscription to the stream: an async iterator that keeps its position in the log."""

from collections.abc import Callable, Iterator, Sequence
from contextvars import copy_context
from types import TracebackType
from typing import Any, Final, Self
from uuid import UUID

from domain.actor import Actor
from domain.errors import Unauthenticated
from domain.events import DeliveredEvent, LoggedEvent, TaskScopedEvent
from domain.stream_cursor import StreamCursor
from streaming.asyncio_helpers import SingleFlight, WakeEvent
from streaming.counters import Counters
from streaming.cursors import SubscriberCursors, may_be_newer, resync_reason_for
from streaming.log_reader import LogReader
from streaming.replay import Replay
from streaming.stream_items import Delivered, Item, Resync, ResyncReason
from streaming.subscription_queue import QueuedEvent, SubscriptionQueue
from streaming.visibility import SubscriberView, Visibility

ITEMS_PER_TURN: Final = 10
"""Items that are delivered before other subscribers get their turn."""
MAX_ATTEMPTS: Final = 3
"""Reads that an item waits for before its consumer is woken."""
READ_AHEAD: Final = 256
"""Queued items whose tasks are read together."""

DeliverDirectly = Callable[[QueuedEvent], SingleFlight[Any] | bool]
"""Delivers an entry. Returns whether it was delivered, or the work that has to end first."""


class Subscriber:
    """The subscription of one actor, for one consumer.

    An item counts as seen when the next one is requested: until then `cursor` stays in front of it. Iteration ends when
    the subscription is closed.

    Raises (while iterating):
        Unauthenticated: the actor's rights have changed; the client may sign in again and resume with the cursor.
    """

    def __init__(
        self,
        view: SubscriberView,
        after: StreamCursor | None,
        *,
        queue: SubscriptionQueue,
        log_reader: LogReader,
        replay: Replay,
        counters: Counters,
        on_close: Callable[["Subscriber"], None],
        on_delivery: Callable[[Actor, Delivered], None] | None = None,
    ) -> None:
        self._view = view
        self._start_cursor = after
        self._queue = queue
        self._log_reader = log_reader
        self._replay = replay
        self._counters = counters
        self._on_close = on_close
        # The scheduler runs turns in the context of other work, but a delivery is recorded in the context of this
        # subscription.
        self._on_delivery, self._context = on_delivery, copy_context()
        self._cursors = SubscriberCursors(log_reader.tail, replay, view.actor.access_version)
        self._wake = WakeEvent()
        self._resync_reason: ResyncReason | None = None
        # The cursor to resume with until a resync is seen: it leads to the same resync again.
        self._resync_cursor: StreamCursor | None = None
        # The cursor to resume with after a change of rights that this version does not know.
        self._unknown_access_cursor: StreamCursor | None = None
        self._items_this_turn = 0
        self._deliver: DeliverDirectly | None = None
        self._consumer_waits = False
        self._attempts = 0
        self._in_hand: QueuedEvent | None = None
        """The item that the consumer is sending."""
        self._measured_after = log_reader.tail.dispatched
        """Later events are new to this subscriber: the time until they are written is measured."""
        self._revoked = self._closed = False

    @property
    def view(self) -> SubscriberView:
        """The actor and its filter."""
        return self._view

    @property
    def actor(self) -> Actor:
        """The actor of the subscription."""
        return self._view.actor

    @property
    def cursor(self) -> str:
        """Everything up to here was seen, or is not for this actor."""
        cursor = self._start_cursor or self._resync_cursor or self._unknown_access_cursor
        if cursor is not None:
            return cursor.encode()
        return self._cursors.at(self._queue.position(self._log_reader.tail.dispatched))

    @property
    def live(self) -> bool:
        """Whether it keeps up, so that nothing has to be read from the log for it."""
        return self._queue.live

    @property
    def queued(self) -> int:
        """The number of waiting items."""
        return self._queue.waiting

    def upcoming_tasks(self) -> Iterator[UUID]:
        """The tasks of the next items. Consume the iterator at once."""
        for entry in self._queue.peek(READ_AHEAD):
            if entry.visibility is Visibility.VISIBLE and isinstance(entry.event, TaskScopedEvent):
                yield entry.event.task_id

    def add_turn(self, call: Callable[[], None]) -> None:
        """Call it when it is the subscriber's turn again, unless it is closed by then."""
        self._log_reader.scheduler.add(lambda: None if self._closed else call())

    def upcoming(self, limit: int) -> Iterator[QueuedEvent]:
        """The next queued entries."""
        return self._queue.peek(limit)

    @property
    def reached(self) -> str:
        """The cursor once the last delivered item is seen."""
        if self._start_cursor is not None or self._unknown_access_cursor is not None:
            return self.cursor
        return self._cursors.at(self._queue.position_after_taken(self._log_reader.tail.dispatched))

    def entry_for(self, logged: LoggedEvent, event: DeliveredEvent) -> QueuedEvent | None:
        """The queue entry for *event*, which is that of *logged*; None if the event is not delivered to this actor."""
        visibility = self._view.visibility_of(event)
        return QueuedEvent(logged.position, event, visibility, logged.fingerprint) if visibility is not None else None

    def offer(self, entry: QueuedEvent) -> None:
        """Queue an entry, which may be shared with subscribers with the same view. Does not wait."""
        self._queue.offer(entry)
        if self._queue.waiting == 1:  # with more entries, a turn is scheduled or the consumer is awake already
            self._log_reader.scheduler.add(self._run_turn)

    def item_for(self, entry: QueuedEvent) -> Delivered:
        """The item for a queue entry."""
        return Delivered(
            self._cursors.of(entry.position, entry.fingerprint), entry.position, entry.event, entry.visibility
        )

    def trusts(self, at: float) -> bool:
        """Whether the actor's rights are unchanged, and what was read at an instant may still be delivered."""
        return not self._revoked and self._log_reader.lease.trusts(at)

    def deliver_directly(self, deliver: DeliverDirectly) -> None:
        """Call *deliver* for new entries while the consumer only waits, so that its task need not be woken."""
        self._deliver = deliver

    def revoke(self) -> None:
        """Deliver nothing more, because the actor's rights have changed."""
        self._revoked = True
        self._wake.set()

    def revoke_unknown(self, position: int) -> None:
        """Like `revoke`, for an unknown change of rights at a position.

        The cursor stays before that position: a client that resumes with it gets a resync.
        """
        if self._unknown_access_cursor is None:
            last = min(self._queue.position(self._log_reader.tail.dispatched), position - 1)
            self._unknown_access_cursor = self._cursors.behind(last)
        self.revoke()

    def resync_if_behind(self, position: int) -> None:
        """Resync a subscriber that has not passed the change of its actor's rights at *position*."""
        is_open = self._start_cursor is None and not self._revoked and self._resync_reason is None
        if is_open and self._queue.live and self._queue.read < position:
            self._resync(ResyncReason.ACCESS, self._cursors.behind(position - 1))

    def reset(self, reason: ResyncReason) -> None:
        """Resync, because the events that it has not seen cannot be delivered any more."""
        # A subscriber that has not started checks its own cursor, which may belong to the new epoch.
        if self._start_cursor is None:
            self._resync(reason, self._cursors.behind(0))

    @property
    def trusted(self) -> bool:
        """Whether the actor's rights are known to be unchanged now."""
        return self._log_reader.lease.fresh and not self._revoked

    async def trust(self) -> None:
        """Wait until the actor's rights are known. Usually this returns at once.

        Raises:
            Unauthenticated: the actor's rights have changed.
            StopAsyncIteration: the subscriber was closed.
        """
        self._check_open()
        await self._log_reader.wait_trusted()
        self._check_open()

    async def aclose(self) -> None:
        """Close the subscription. Closing it twice has no effect."""
        self._closed = True
        self._deliver = None  # it refers back to this object
        self._on_close(self)
        self._wake.set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Item:
        self._release()
        self._items_this_turn += 1
        if self._items_this_turn >= ITEMS_PER_TURN:
            # A consumer that never waits would block all others.
            self._items_this_turn = 0
            await self._hand_over()
        while True:
            if self._closed or not self.trusted:
                await self.trust()
            if (item := self._take()) is not None:
                return item
            await self._advance()

    def _count_delivery(self, entry: QueuedEvent) -> None:
        self._counters.delivered += 1
        if self._on_delivery is not None:
            self._context.run(self._on_delivery, self.actor, self.item_for(entry))

    def _note_passed(self, entry: QueuedEvent) -> None:
        if entry.position > self._measured_after:
            self._log_reader.write_times.note_passed(entry.position, entry.event)

    def _run_turn(self) -> None:
        """Deliver waiting entries; wake the consumer if they cannot be delivered directly."""
        try:
            if self._deliver is None or not self._deliver_some(self._deliver):
                self._wake.set()
        except Exception:
            self._wake.set()  # the consumer meets the same error and reports it

    def _deliver_some(self, deliver: DeliverDirectly) -> bool:
        """Whether everything is delivered, or will be in another turn, without the consumer."""
        scheduler = self._log_reader.scheduler
        for _ in range(ITEMS_PER_TURN):
            if not self._consumer_waits or self._closed or self._resync_reason is not None:
                return False
            entry = self._queue.next
            if entry is None:
                return self._queue.live
            outcome = deliver(entry)
            if isinstance(outcome, SingleFlight):
                return self._deliver_after(outcome)
            if not outcome:
                return False
            self._queue.drop()
            self._attempts = 0
            self._count_delivery(entry)
            self._note_passed(entry)
            if not scheduler.has_time:
                break
        scheduler.add(self._run_turn)
        return True

    def _deliver_after(self, flight: SingleFlight[Any]) -> bool:
        # The data may be outdated again at the next turn. After a few attempts the consumer waits for it instead.
        self._attempts += 1
        if self._attempts > MAX_ATTEMPTS:
            self._attempts = 0
            return False
        flight.then(self._flight_ended)
        return True

    def _flight_ended(self, flight: SingleFlight[Any]) -> None:
        if flight.failed:
            self._wake.set()
        else:
            self._log_reader.scheduler.add(self._run_turn)

    def _release(self) -> None:
        self._queue.release()
        if self._in_hand is not None:
            self._note_passed(self._in_hand)
            self._log_reader.write_times.record_soon()
            self._in_hand = None
        if self._resync_reason is None:
            self._resync_cursor = None

    def _check_open(self) -> None:
        if self._closed:
            raise StopAsyncIteration
        if self._revoked:
            raise Unauthenticated("Your access has changed; sign in again.")

    def _take(self) -> Item | None:
        if self._resync_reason is not None:
            return self._take_resync(self._resync_reason)
        entry = self._queue.take()
        if entry is None:
            return None
        self._count_delivery(entry)
        self._in_hand = entry
        return self.item_for(entry)

    def _take_resync(self, reason: ResyncReason) -> Resync:
        tail = self._log_reader.tail
        self._resync_reason, self._cursors.epoch = None, tail.epoch
        self._measured_after = tail.dispatched
        self._counters.delivered += 1
        self._queue = self._queue.restarted(tail.dispatched, live=True)
        return Resync(self._cursors.at(tail.dispatched), reason)

    async def _advance(self) -> None:
        if self._start_cursor is not None:
            await self._open(self._start_cursor)
        elif self._queue.live:
            await self._rest()
        else:
            await self._read_page()

    async def _hand_over(self) -> None:
        """Wait for a turn. If entries can be delivered directly, they are, until one needs the consumer."""
        if self._deliver is None or self._closed or self._queue.next is None:
            await self._log_reader.scheduler.wait_turn()
            return
        self._wake.clear()  # what it reported is found by the turn
        self._log_reader.scheduler.add(self._run_turn)
        await self._rest()

    async def _rest(self) -> None:
        """Wait until something needs the consumer."""
        self._consumer_waits = True
        try:
            await self._wake.wait()
        finally:
            self._consumer_waits = False

    async def _open(self, cursor: StreamCursor) -> None:
        tail, version = self._log_reader.tail, self.actor.access_version
        reason = resync_reason_for(cursor, tail, version)
        if may_be_newer(reason):
            await self._log_reader.wait_caught_up()
            reason = resync_reason_for(cursor, tail, version)
        if reason is None and not await self._cursors.is_of_this_history(cursor):
            await self._log_reader.wait_caught_up()  # the resync has a cursor of the new epoch, if there is one
            reason = ResyncReason.EPOCH
        reason = reason or resync_reason_for(cursor, tail, version)  # the log may have changed since
        self._start_cursor, self._cursors.epoch = None, tail.epoch
        if reason is not None:
            self._cursors.epoch = cursor.epoch
            self._resync(reason, cursor)
        else:
            self._queue = self._queue.restarted(cursor.position, live=cursor.position >= tail.dispatched)

    async def _read_page(self) -> None:
        queue = self._queue
        page = await self._replay.page(queue.read)
        if self._is_reading(queue) and not self._refill(page):
            # The events are trimmed, or the epoch has changed: reading the head shows which.
            await self._log_reader.wait_caught_up()
            if self._is_reading(queue):
                cursor = self._cursors.behind(queue.read)
                reason = resync_reason_for(cursor, self._log_reader.tail, cursor.access_version)
                self._resync(reason or ResyncReason.TRIMMED, cursor)

    def _is_reading(self, queue: SubscriptionQueue) -> bool:
        return self._resync_reason is None and queue is self._queue and not queue.live

    def _refill(self, page: Sequence[LoggedEvent]) -> bool:
        """Take a page; False if it does not continue at the current position."""
        dispatched = self._log_reader.tail.dispatched
        # Events that this process has not dispatched arrive live, after the changes of rights before them.
        dispatched_events = [logged for logged in page if logged.position <= dispatched]
        if not dispatched_events or dispatched_events[0].position != self._queue.read + 1:
            return False
        if (changed_at := self._view.first_resync(dispatched_events)) is not None:
            self._resync(ResyncReason.ACCESS, self._cursors.behind(changed_at - 1))
            return True
        self._queue.refill(self._entries(dispatched_events), read=dispatched_events[-1].position, dispatched=dispatched)
        return True

    def _entries(self, events: Sequence[LoggedEvent]) -> list[QueuedEvent]:
        return [entry for logged in self._view.candidates(events) if (entry := self._entry(logged)) is not None]

    def _entry(self, logged: LoggedEvent) -> QueuedEvent | None:
        return self.entry_for(logged, logged.event) if isinstance(logged.event, DeliveredEvent) else None

    def _resync(self, reason: ResyncReason, cursor: StreamCursor) -> None:
        self._counters.resyncs += 1
        self._resync_reason, self._resync_cursor = reason, cursor
        self._wake.set()
