"""One subscription to the stream: an async iterator that never loses its position."""

from collections.abc import Callable, Iterator, Sequence
from contextvars import copy_context
from functools import lru_cache
from types import TracebackType
from typing import Any, Final, Self
from uuid import UUID

from domain.actor import Actor
from domain.errors import Unauthenticated
from domain.events import Event, LoggedEvent, TaskEvent
from domain.stream_cursor import StreamCursor
from domain.unknown_events import UnknownAccess
from streaming.asyncio_helpers import SingleFlight, WakeEvent
from streaming.counters import Counters
from streaming.log_reader import LogReader
from streaming.replay import Replay
from streaming.stream_items import Delivered, Item, Resync, ResyncReason
from streaming.subscription_queue import QueuedEvent, SubscriptionQueue
from streaming.tail import Tail
from streaming.visibility import SubscriberView, Visibility, concerns

AT_A_STRETCH: Final = 10
"""Items handed over before it is the others' turn."""
ATTEMPTS: Final = 3
"""So often an item waits for what it needs without the consumer."""
AHEAD: Final = 20
"""Items looked at beforehand, so that what they are about can be read together."""

Tell = Callable[[QueuedEvent], SingleFlight[Any] | bool]
"""Tells an item: whether that could be done at once, or what has begun and must end before."""


def judge(cursor: StreamCursor, tail: Tail, access_version: int) -> ResyncReason | None:
    """Why the cursor cannot be continued, as far as this process knows the log; None if it can."""
    if cursor.epoch != tail.epoch:
        return ResyncReason.EPOCH
    if cursor.access_version != access_version:
        return ResyncReason.ACCESS
    if cursor.position > tail.end:
        return ResyncReason.FUTURE
    return ResyncReason.TRIMMED if cursor.position < tail.trimmed else None


def may_be_news(reason: ResyncReason | None) -> bool:
    """Whether another process, which the cursor came from, may only have known more of the log than this one."""
    return reason in {ResyncReason.EPOCH, ResyncReason.FUTURE}


@lru_cache(maxsize=256)
def _written(epoch: str, position: int, access_version: int) -> str:
    # Most who are told of an event continue behind it with one and the same cursor.
    return StreamCursor(epoch, position, access_version).encode()


class Subscriber:
    """What one actor wants to hear of, item by item; for one consumer.

    An item counts as seen when the next one is asked for: until then `cursor` stays in front of it. Iterating ends
    when it is closed.

    Raises (while iterating):
        Unauthenticated: the actor's rights have changed; who signs in again may come back with the cursor.
    """

    def __init__(
        self,
        eyes: SubscriberView,
        after: StreamCursor | None,
        *,
        feed: SubscriptionQueue,
        watch: LogReader,
        history: Replay,
        counters: Counters,
        leave: Callable[["Subscriber"], None],
        on_delivery: Callable[[Actor, Delivered], None] | None = None,
    ) -> None:
        self._eyes = eyes
        self._opening = after
        self._feed = feed
        self._watch = watch
        self._history = history
        self._counters = counters
        self._leave = leave
        # In a turn others' work is done around it, and what is noted of a delivery belongs to this subscription.
        self._on_delivery, self._context = on_delivery, copy_context()
        self._epoch = watch.tail.epoch
        self._news = WakeEvent()
        self._reason: ResyncReason | None = None
        # What to come back with as long as a resync has not been seen: a cursor that leads to the same resync.
        self._broken: StreamCursor | None = None
        # Where to come back if the rights may have changed in a way that this version does not know.
        self._before_unknown: StreamCursor | None = None
        self._stretch = 0
        self._tell: Tell | None = None
        self._is_awaited = False
        self._attempts = 0
        self._revoked = self._closed = False

    @property
    def eyes(self) -> SubscriberView:
        """What it looks with."""
        return self._eyes

    @property
    def actor(self) -> Actor:
        """Whose it is."""
        return self._eyes.actor

    @property
    def cursor(self) -> str:
        """Where it stands: everything up to here was seen, or was not for this actor to see."""
        standing = self._opening or self._broken or self._before_unknown
        return standing.encode() if standing is not None else self._cursor(self._feed.position(self._watch.tail.told))

    @property
    def live(self) -> bool:
        """Whether it keeps up, and nothing has to be read from the log for it."""
        return self._feed.live

    @property
    def queued(self) -> int:
        """Items that wait for it."""
        return self._feed.waiting

    def ahead(self) -> Iterator[UUID]:
        """The tasks that will be wanted next; to be looked at at once."""
        return (noted.event.task_id for noted in self._feed.ahead(AHEAD) if noted.sight is Visibility.SEEN)

    @property
    def reached(self) -> str:
        """Where it will stand when the item that was handed over last has been seen."""
        if self._opening is not None or self._before_unknown is not None:
            return self.cursor
        return self._cursor(self._feed.reached(self._watch.tail.told))

    def look(self, position: int, event: TaskEvent) -> QueuedEvent | None:
        """What an event means to it; None if nothing."""
        sight = self._eyes.look(event)
        return QueuedEvent(position, event, sight) if sight is not None else None

    def offer(self, noted: QueuedEvent) -> None:
        """Have it told what was noted for it, or for others with the same eyes; returns at once."""
        self._feed.offer(noted)
        if self._feed.waiting == 1:  # else its turn comes, or it was woken, for those before
            self._watch.turns.add(self._turn)

    def told(self, noted: QueuedEvent) -> Delivered:
        """The item that tells what was noted."""
        return Delivered(self._cursor(noted.position), noted.position, noted.event, noted.sight)

    def believes(self, at: float) -> bool:
        """Whether its actor is what it was, and what was read at an instant can still be told."""
        return not self._revoked and self._watch.lease.believes(at)

    def at_once(self, tell: Tell) -> None:
        """Have *tell* called for what comes while the consumer does nothing but wait for it: nobody need be woken."""
        self._tell = tell

    def revoke(self) -> None:
        """Tell it nothing more: the actor is not what it was."""
        self._revoked = True
        self._news.set()

    def distrust(self, position: int) -> None:
        """As `revoke`, for a change of rights that is not known, at a position of the log.

        Its cursor stays in front of that: a client that resumes with it is told to load everything again.
        """
        if self._before_unknown is None:
            last = min(self._feed.position(self._watch.tail.told), position - 1)
            self._before_unknown = StreamCursor(self._epoch, last, self.actor.access_version)
        self.revoke()

    def lose_rights(self, position: int) -> None:
        """Have everything loaded again, unless it is behind a change of rights that is not known, or was revoked."""
        if self._opening is None and not self._revoked and self._feed.live and self._feed.read < position:
            self._resync(ResyncReason.ACCESS, StreamCursor(self._epoch, position - 1, self.actor.access_version))

    def lose(self, reason: ResyncReason) -> None:
        """What it has not seen yet cannot be told any more."""
        # One that has not begun finds out for itself: its cursor may well be of the history that has begun now.
        if self._opening is None:
            self._resync(reason, StreamCursor(self._epoch, 0, self.actor.access_version))

    @property
    def trusted(self) -> bool:
        """Whether it is known, at this moment, that the actor is what it was."""
        return self._watch.lease.fresh and not self._revoked

    async def trust(self) -> None:
        """Wait until that is known; mostly it is now.

        Raises:
            Unauthenticated: the actor is not what it was.
            StopAsyncIteration: the subscriber was closed.
        """
        self._check_open()
        await self._watch.trusted()
        self._check_open()

    async def aclose(self) -> None:
        """Stop listening; doing so twice does no harm."""
        self._closed = True
        self._leave(self)
        self._news.set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Item:
        self._put_down()
        self._stretch += 1
        if self._stretch >= AT_A_STRETCH:
            # A consumer that never has to wait would keep everybody else from running.
            self._stretch = 0
            await self._watch.turns.take()
        while True:
            if self._closed or not self.trusted:
                await self.trust()
            if (item := self._take()) is not None:
                return item
            await self._advance()

    def _note_delivery(self, noted: QueuedEvent) -> None:
        self._counters.delivered += 1
        if self._on_delivery is not None:
            self._context.run(self._on_delivery, self.actor, self.told(noted))

    def _turn(self) -> None:
        """Tell what waits; wake the consumer if that cannot be done at once."""
        try:
            if self._tell is None or not self._tell_some(self._tell):
                self._news.set()
        except Exception:
            self._news.set()  # what goes wrong is the consumer's to see, and to report

    def _tell_some(self, tell: Tell) -> bool:
        """Whether all is told, or will be in another turn, without the consumer."""
        for _ in range(AT_A_STRETCH):
            if not self._is_awaited or self._closed or self._reason is not None:
                return False
            noted = self._feed.next
            if noted is None:
                return self._feed.live
            outcome = tell(noted)
            if isinstance(outcome, SingleFlight):
                return self._tell_after(outcome)
            if not outcome:
                return False
            self._feed.drop()
            self._attempts = 0
            self._note_delivery(noted)
        self._watch.turns.add(self._turn)
        return True

    def _tell_after(self, run: SingleFlight[Any]) -> bool:
        # What was read for one item may be too old again when its turn comes; the consumer waits for it in peace.
        self._attempts += 1
        if self._attempts > ATTEMPTS:
            self._attempts = 0
            return False
        run.then(self._ended)
        return True

    def _ended(self, run: SingleFlight[Any]) -> None:
        if run.failed:
            self._news.set()
        else:
            self._watch.turns.add(self._turn)

    def _put_down(self) -> None:
        self._feed.put_down()
        if self._reason is None:
            self._broken = None

    def _check_open(self) -> None:
        if self._closed:
            raise StopAsyncIteration
        if self._revoked:
            raise Unauthenticated("Your access has changed; sign in again.")

    def _take(self) -> Item | None:
        if self._reason is not None:
            return self._take_resync(self._reason)
        noted = self._feed.take()
        if noted is None:
            return None
        self._note_delivery(noted)
        return self.told(noted)

    def _take_resync(self, reason: ResyncReason) -> Resync:
        tail = self._watch.tail
        self._reason, self._epoch = None, tail.epoch
        self._counters.delivered += 1
        self._feed = self._feed.begun(tail.told, live=True)
        return Resync(self._cursor(tail.told), reason)

    async def _advance(self) -> None:
        if self._opening is not None:
            await self._open(self._opening)
        elif self._feed.live:
            self._is_awaited = True
            try:
                await self._news.wait()
            finally:
                self._is_awaited = False
        else:
            await self._read_on()

    async def _open(self, cursor: StreamCursor) -> None:
        tail, version = self._watch.tail, self.actor.access_version
        reason = judge(cursor, tail, version)
        if may_be_news(reason):
            await self._watch.look()
            reason = judge(cursor, tail, version)
        self._opening, self._epoch = None, cursor.epoch
        if reason is not None:
            self._resync(reason, cursor)
        else:
            self._feed = self._feed.begun(cursor.position, live=cursor.position >= tail.told)

    async def _read_on(self) -> None:
        feed = self._feed
        page = await self._history.page(feed.read)
        if self._reads(feed) and not self._refill(page):
            # Trimmed, or of another history: the head says which.
            await self._watch.look()
            if self._reads(feed):
                cursor = StreamCursor(self._epoch, feed.read, self.actor.access_version)
                self._resync(judge(cursor, self._watch.tail, cursor.access_version) or ResyncReason.TRIMMED, cursor)

    def _reads(self, feed: SubscriptionQueue) -> bool:
        return self._reason is None and feed is self._feed and not feed.live

    def _refill(self, page: Sequence[LoggedEvent]) -> bool:
        """Take the page; False if it does not continue what was read."""
        told = self._watch.tail.told
        # What this process has not told yet comes live, after the changes of rights that lie before it.
        known = [logged for logged in page if logged.position <= told]
        if not known or known[0].position != self._feed.read + 1:
            return False
        if (unknown := self._unknown_access(known)) is not None:
            self._resync(ResyncReason.ACCESS, StreamCursor(self._epoch, unknown - 1, self.actor.access_version))
            return True
        self._feed.refill(self._noted(known), read=known[-1].position, told=told)
        return True

    def _unknown_access(self, events: Sequence[LoggedEvent]) -> int | None:
        """The first position at which this actor's rights changed in a way that is not known."""
        for logged in events:
            if isinstance(logged.event, UnknownAccess) and concerns(logged.event, self.actor):
                return logged.position
        return None

    def _noted(self, events: Sequence[LoggedEvent]) -> list[QueuedEvent]:
        return [noted for logged in events if (noted := self._note(logged.position, logged.event)) is not None]

    def _note(self, position: int, event: Event) -> QueuedEvent | None:
        return self.look(position, event) if isinstance(event, TaskEvent) else None

    def _resync(self, reason: ResyncReason, broken: StreamCursor) -> None:
        self._counters.resyncs += 1
        self._reason, self._broken = reason, broken
        self._news.set()

    def _cursor(self, position: int) -> str:
        return _written(self._epoch, position, self._eyes.actor.access_version)
