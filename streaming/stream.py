"""The stream: every process tells its own subscribers what happened anywhere, in the one order of the log."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from domain.actor import Actor
from domain.events import AccessEvent, AccessNews, Event, LoggedEvent, TaskEvent
from domain.stream_cursor import StreamCursor, UnknownCursorVersion
from domain.unknown_events import SkippedEvent, UnknownAccess
from persistence.database import Database
from persistence.event_log import Numbered
from streaming.asyncio_helpers import FIRST_PAUSE, run_forever
from streaming.counters import Counters, UnknownEventCounter
from streaming.lease import Clock, Lease, seconds
from streaming.log_reader import Listeners, LogReader
from streaming.notifier import Notification, Notifier
from streaming.numbering import Numberer
from streaming.replay import Replay
from streaming.stream_items import Delivered, ResyncReason
from streaming.subscriber_index import SubscriberIndex
from streaming.subscription import Subscriber
from streaming.subscription_queue import ROOM, SubscriptionQueue
from streaming.task_cache import TaskCache
from streaming.visibility import EVERYTHING, StreamFilter, SubscriberView, concerns

OnAccess = Callable[[AccessNews], None]
OnBreak = Callable[[], None]
OnDelivery = Callable[[Actor, Delivered], None]

_log: Final = logging.getLogger("taskriver.stream")


class Stream:
    """One per process. *room* is how many items wait for a subscriber before it reads the log at its own pace."""

    def __init__(self, database: Database, bell: Notifier, *, clock: Clock = seconds, room: int = ROOM) -> None:
        self.counters = Counters()
        self.unknown = UnknownEventCounter(self.counters)
        self._database = database
        self._bell = bell
        self._room = room
        self._clock = clock
        self._audience = SubscriberIndex()
        self._history = Replay(database, self.counters)
        self._numberer = Numberer(database, self._numbered, clock)
        listeners = Listeners(self._access, self._told, self._broken, self._audience.__len__)
        self._watch = LogReader(database, self._numberer, self.counters, listeners, clock)
        self.current = TaskCache(database, self._watch.lease, clock)
        self._on_access: list[OnAccess] = []
        self._on_break: list[OnBreak] = []
        self._on_delivery: OnDelivery | None = None
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def lease(self) -> Lease:
        """Whether what this process knows of rights may be trusted."""
        return self._watch.lease

    async def recovered(self) -> None:
        """Wait a moment, and then for the lease: what could not be told may be told, to whom it still concerns."""
        await asyncio.sleep(FIRST_PAUSE)
        await self._watch.trusted()

    @property
    def position(self) -> int:
        """Everything up to here has been told."""
        return self._watch.tail.told

    @property
    def epoch(self) -> str:
        """The history that positions count in; empty until the log has been seen for the first time."""
        return self._watch.tail.epoch

    @property
    def healthy(self) -> bool:
        """Whether the bell works; without it events come late, but they come."""
        return self._bell.healthy

    @property
    def is_refused(self) -> bool:
        """Whether Redis refuses to publish or to subscribe; events then arrive by polling."""
        return bool(self._bell.refusals)

    @property
    def subscribers(self) -> int:
        """How many listen to this process."""
        return len(self._audience)

    @property
    def behind(self) -> int:
        """How many of them are reading the log, to catch up."""
        return sum(not each.live for each in self._audience)

    @property
    def queued(self) -> int:
        """Items that wait for their subscribers."""
        return sum(each.queued for each in self._audience)

    @property
    def unread(self) -> int:
        """Events that are known to be in the log and have not been told here."""
        return max(0, self._watch.tail.end - self._watch.tail.told)

    @property
    def lease_age(self) -> float:
        """Seconds since the log was known to hold no change of rights that is not applied here."""
        return self._clock() - self.lease.since

    def on_access(self, callback: OnAccess) -> None:
        """Have *callback* called for each change of rights, before any later event is delivered here."""
        self._on_access.append(callback)

    def on_break(self, callback: OnBreak) -> None:
        """Have *callback* called when changes of rights may have been missed for good: trust nothing learnt before."""
        self._on_break.append(callback)

    def on_delivery(self, callback: OnDelivery) -> None:
        """Have *callback* called for every event that a subscriber is handed from now on; it must be quick."""
        self._on_delivery = callback

    async def start(self) -> None:
        """Begin to watch the log. A database that is away now is found when it is back; nothing is told until then."""
        self._database.on_recorded(self._numberer.ring)
        with suppress(Exception):
            await self._watch.catch_up()
        await self._bell.start(self._heard, self._watch.hurry)
        self._tasks = [
            asyncio.create_task(run_forever(self._numberer.step, "numbering the log")),
            asyncio.create_task(run_forever(self._watch.sweep_step, "watching the log")),
            asyncio.create_task(run_forever(self._watch.tell_step, "telling the log")),
        ]

    async def stop(self) -> None:
        """End every subscription, and stop watching."""
        for subscriber in self._audience:
            await subscriber.aclose()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._bell.stop()

    def subscribe(
        self, actor: Actor, wanted: StreamFilter | None, after: str | None, *, only_status: bool = False
    ) -> Subscriber:
        """Listen with this actor's eyes: from now on, or first what happened since the cursor *after*.

        What is acknowledged after this has returned will be handed over. Use it as a context manager.

        Raises:
            BadRequest: *after* is not a cursor. One that cannot be continued, such as one that another version made, is
                answered by a `Resync` item.
        """
        cursor = _cursor(after) if after is not None else None
        subscriber = Subscriber(
            SubscriberView(actor, wanted or EVERYTHING, only_status),
            cursor,
            feed=SubscriptionQueue(self.position, live=cursor is None, room=self._room),
            watch=self._watch,
            history=self._history,
            counters=self.counters,
            on_delivery=self._on_delivery,
            leave=self._audience.leave,
        )
        self._audience.join(subscriber)
        return subscriber

    def _numbered(self, batch: Numbered, since: float | None) -> None:
        self.counters.numbered += len(batch.events)
        if batch.epoch == self.epoch:
            self._watch.offer(batch.events, whole_since=since)
        else:
            # Positions of another history, which may fit behind ours, and say nothing of what lies before them.
            self._watch.hurry()
        self._bell.ring(Notification.of(batch))

    def _heard(self, chime: Notification) -> None:
        self.counters.chimes += 1
        if chime.epoch == self.epoch and chime.last <= self.position:
            return
        events = chime.events() if chime.epoch == self.epoch else []
        if events:
            self._watch.offer(events)
        else:
            self._watch.hurry()

    def _access(self, logged: LoggedEvent) -> None:
        event = logged.event
        if isinstance(event, AccessEvent):
            self.counters.note_revoking(event)
            self._revoke(event)
        elif isinstance(event, UnknownAccess):
            self.unknown.note_access(event)
            self._distrust(event, logged.position)

    def _revoke(self, event: AccessEvent) -> None:
        for subscriber in self._concerned(event):
            subscriber.revoke()
        for callback in self._on_access:
            _call(callback, event)

    def _distrust(self, event: UnknownAccess, position: int) -> None:
        for subscriber in self._concerned(event):
            subscriber.distrust(position)
        for callback in self._on_access:
            _call(callback, event)

    def _concerned(self, event: AccessNews) -> list[Subscriber]:
        found = self._audience if event.user_id is None else self._audience.of_user(event.user_id)
        return [subscriber for subscriber in found if concerns(event, subscriber.actor)]

    def _told(self, events: Sequence[LoggedEvent]) -> None:
        self._history.recent.add(events)
        for logged in events:
            self._tell(logged.position, logged.event)

    def _tell(self, position: int, event: Event) -> None:
        if isinstance(event, TaskEvent):
            self.unknown.note_task(event)
            self.current.note(event)
            self.counters.note_telling(event)
            self._audience.offer(position, event)
        elif isinstance(event, SkippedEvent):
            self.unknown.note_skipped(event)
        elif isinstance(event, UnknownAccess):
            for subscriber in self._concerned(event):
                subscriber.lose_rights(position)

    def _broken(self, reason: ResyncReason) -> None:
        self._history.recent.clear()
        self.current.forget_all()
        for subscriber in self._audience:
            subscriber.lose(reason)
        for callback in self._on_break:
            _call(callback)


def _cursor(text: str) -> StreamCursor:
    try:
        return StreamCursor.decode(text)
    except UnknownCursorVersion:
        return StreamCursor.of_another_history()


def _call(callback: Callable[..., None], *arguments: object) -> None:
    try:
        callback(*arguments)
    except Exception:
        # Others still have to hear of it.
        _log.exception("a listener failed")
