"""The event stream: each process delivers all events to its own subscribers, in the order of the log."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final

from domain.actor import Actor
from domain.events import (
    AccessEvent,
    AccessNews,
    DeliveredEvent,
    LoggedEvent,
    MembershipEvent,
    ProjectChange,
    ProjectEvent,
    TaskEvent,
    TaskScopedEvent,
)
from domain.stored_event import task_id_of
from domain.stream_cursor import StreamCursor, UnknownCursorVersion
from domain.unknown_events import SkippedEvent, UnknownAccess
from persistence.database import Database
from persistence.event_log import Numbered
from streaming.asyncio_helpers import FIRST_PAUSE, run_forever
from streaming.counters import Counters, UnknownEventCounter
from streaming.lease import Clock, Lease, seconds
from streaming.log_reader import Listeners, LogReader
from streaming.memberships import Memberships
from streaming.notifier import Notification, Notifier
from streaming.numbering import Numberer
from streaming.replay import Replay
from streaming.stream_items import Delivered, ResyncReason
from streaming.subscriber_index import SubscriberIndex
from streaming.subscription import Subscriber
from streaming.subscription_queue import CAPACITY, SubscriptionQueue
from streaming.task_cache import TaskCache
from streaming.visibility import EVERYTHING, TASK_EVENTS, StreamFilter, SubscriberView, concerns

OnAccess = Callable[[AccessNews], None]
OnBreak = Callable[[], None]
OnDelivery = Callable[[Actor, Delivered], None]

_log: Final = logging.getLogger("taskriver.stream")


class Stream:
    """The stream of one process. *capacity* is the number of items that a subscriber's queue holds."""

    def __init__(
        self, database: Database, notifier: Notifier, *, clock: Clock = seconds, capacity: int = CAPACITY
    ) -> None:
        self.counters = Counters()
        self.unknown = UnknownEventCounter(self.counters)
        self._database = database
        self._notifier = notifier
        self._capacity = capacity
        self._clock = clock
        self.memberships = Memberships()
        self._subscribers = SubscriberIndex()
        self._replay = Replay(database, self.counters)
        self._numberer = Numberer(database, self._on_numbered, clock)
        listeners = Listeners(self._apply_access, self._on_events, self._on_log_break, self._subscribers.__len__)
        self._log_reader = LogReader(database, self._numberer, self.counters, listeners, clock)
        self.task_cache = TaskCache(
            database, self._log_reader.lease, clock, lambda: self._log_reader.tail.dispatched_since
        )
        self._on_access: list[OnAccess] = []
        self._on_break: list[OnBreak] = []
        self._on_delivery: OnDelivery | None = None
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def lease(self) -> Lease:
        """Whether cached rights may be trusted."""
        return self._log_reader.lease

    async def recovered(self) -> None:
        """Pause, then wait for the lease: a delivery that failed may be tried again if it is still permitted."""
        await asyncio.sleep(FIRST_PAUSE)
        await self._log_reader.wait_trusted()

    @property
    def position(self) -> int:
        """Everything up to here has been dispatched."""
        return self._log_reader.tail.dispatched

    @property
    def epoch(self) -> str:
        """The epoch of the positions; empty until the log is read for the first time."""
        return self._log_reader.tail.epoch

    @property
    def healthy(self) -> bool:
        """Whether Redis notifications work. Without them events arrive by polling."""
        return self._notifier.healthy

    @property
    def is_refused(self) -> bool:
        """Whether Redis refuses commands, such as to publish or to write; events then arrive by polling."""
        return bool(self._notifier.redis_errors)

    @property
    def subscribers(self) -> int:
        """The number of subscribers of this process."""
        return len(self._subscribers)

    @property
    def behind(self) -> int:
        """The number of subscribers that read the log to catch up."""
        return sum(not each.live for each in self._subscribers)

    @property
    def queued(self) -> int:
        """The number of items in all subscriber queues."""
        return sum(each.queued for each in self._subscribers)

    @property
    def unread(self) -> int:
        """The number of known events that this process has not dispatched."""
        return max(0, self._log_reader.tail.end - self._log_reader.tail.dispatched)

    @property
    def lease_age(self) -> float:
        """Seconds since this process was known to have applied all changes of rights."""
        return self._clock() - self.lease.since

    def on_access(self, callback: OnAccess) -> None:
        """Call *callback* for each change of rights after which identities are read again.

        It is called before any later event is delivered.
        """
        self._on_access.append(callback)

    def on_break(self, callback: OnBreak) -> None:
        """Call *callback* when changes of rights may have been missed: all cached rights are invalid."""
        self._on_break.append(callback)

    def on_delivery(self, callback: OnDelivery) -> None:
        """Call *callback* for each delivered event. It must be quick."""
        self._on_delivery = callback

    async def start(self) -> None:
        """Start to read the log. If the database is unavailable, events are delivered once it is back."""
        self._database.on_recorded(self._numberer.wake)
        with suppress(Exception):
            await self._log_reader.catch_up()
        await self._notifier.start(self._on_notification, self._log_reader.read_soon)
        self._tasks = [
            asyncio.create_task(run_forever(self._numberer.step, "numbering events")),
            asyncio.create_task(run_forever(self._log_reader.poll_step, "reading the event log")),
            asyncio.create_task(run_forever(self._log_reader.dispatch_step, "dispatching events")),
        ]

    async def stop(self) -> None:
        """End all subscriptions, and stop reading."""
        for subscriber in self._subscribers:
            await subscriber.aclose()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._notifier.stop()

    def subscribe(
        self,
        actor: Actor,
        filter: StreamFilter | None,
        after: str | None,
        *,
        only_status: bool = False,
        events: frozenset[type[DeliveredEvent]] = TASK_EVENTS,
        follows_projects: bool = False,
    ) -> Subscriber:
        """Subscribe an actor: to new events, or first to those after the cursor *after*.

        *events* are the classes of events to deliver. Events that remove or delete a task are delivered in any case.
        With *follows_projects*, changes of the actor's own roles in projects are delivered, and need no resync.
        Every change that is acknowledged after this call is delivered. Use the subscriber as a context manager.

        Raises:
            BadRequest: *after* is not a cursor. A cursor that cannot be continued, or that another version created, is
                answered by a `Resync` item.
        """
        cursor = _cursor(after) if after is not None else None
        subscriber = Subscriber(
            SubscriberView(actor, filter or EVERYTHING, only_status, events, follows_projects),
            cursor,
            queue=SubscriptionQueue(self.position, live=cursor is None, capacity=self._capacity),
            log_reader=self._log_reader,
            replay=self._replay,
            counters=self.counters,
            on_delivery=self._on_delivery,
            on_close=self._subscribers.remove,
        )
        self._subscribers.add(subscriber)
        return subscriber

    def _on_numbered(self, batch: Numbered, since: float | None, committed_at: float | None) -> None:
        self.counters.numbered += len(batch.events)
        self._notifier.publish(notification := Notification.of(batch, committed_at))
        if batch.epoch == self.epoch:
            self._note_commits(notification)
            self._log_reader.offer(batch.events, complete_since=since)
        else:
            # Positions of another epoch may seem to continue ours, but events before them are missing.
            self._log_reader.read_soon()

    def _note_commits(self, notification: Notification) -> None:
        self._log_reader.write_times.commits.add(notification.first, notification.last, notification.committed_at)

    def _on_notification(self, notification: Notification) -> None:
        self.counters.notifications += 1
        if notification.epoch == self.epoch and notification.last <= self.position:
            return
        events = notification.events() if notification.epoch == self.epoch else []
        if events:
            self._note_commits(notification)
            self._log_reader.offer(events)
        else:
            self._log_reader.read_soon()

    def _apply_access(self, logged: LoggedEvent) -> None:
        event = logged.event
        if isinstance(event, AccessEvent):
            self.counters.record_revocation(event)
            self._revoke(event)
        elif isinstance(event, MembershipEvent):
            self._subscribers.change_membership(event.user_id, event.project_id, partial(self.memberships.apply, event))
            if event.role is None:
                self._end_tokens_of(event)
        elif isinstance(event, UnknownAccess):
            self.unknown.count_unknown_access(event)
            self._revoke_unknown(event, logged.position)

    def _revoke(self, event: AccessEvent) -> None:
        for subscriber in self._affected(event):
            subscriber.revoke()
        for callback in self._on_access:
            _call(callback, event)

    def _end_tokens_of(self, event: MembershipEvent) -> None:
        """End the tokens for this project of the user who has left it; the user's other rights stay."""
        for subscriber in self._subscribers.by_user(event.user_id):
            if subscriber.actor.project_id == event.project_id:
                subscriber.revoke()
        for callback in self._on_access:
            _call(callback, event)

    def _revoke_unknown(self, event: UnknownAccess, position: int) -> None:
        for subscriber in self._affected(event):
            subscriber.revoke_unknown(position)
        for callback in self._on_access:
            _call(callback, event)

    def _affected(self, event: AccessNews) -> list[Subscriber]:
        found = self._subscribers if event.user_id is None else self._subscribers.by_user(event.user_id)
        return [subscriber for subscriber in found if concerns(event, subscriber.actor)]

    def _on_events(self, events: Sequence[LoggedEvent]) -> None:
        self._replay.recent.add(events)
        for logged in events:
            undecoded = self._subscribers.decode(logged)
            if undecoded is None:
                self._dispatch(logged)
            else:
                self._pass_over(undecoded)

    def _pass_over(self, payload: Mapping[str, Any]) -> None:
        """Pass an event that concerns no subscriber of this process. It can still be replayed to later ones."""
        self.counters.not_decoded += 1
        if not self.task_cache.is_empty and (task_id := task_id_of(payload)) is not None:
            self.task_cache.forget(task_id)

    def _dispatch(self, logged: LoggedEvent) -> None:
        event = logged.event
        if isinstance(event, TaskScopedEvent):
            if isinstance(event, TaskEvent):
                self.unknown.count_partial(event)
                self.task_cache.apply(event)
            self.counters.record_delivery(event)
            self._subscribers.offer(logged, event)
        elif isinstance(event, SkippedEvent):
            self.unknown.count_skipped(event)
        elif isinstance(event, ProjectEvent):
            self._dispatch_project(logged, event)
        elif isinstance(event, MembershipEvent):
            self._dispatch_membership(logged, event)
        elif isinstance(event, UnknownAccess):
            self._resync_by(logged, event)

    def _dispatch_membership(self, logged: LoggedEvent, event: MembershipEvent) -> None:
        self._subscribers.offer_to_project(logged, event)
        for subscriber in self._affected(event):
            if (entry := subscriber.entry_for(logged, event)) is not None:
                subscriber.offer(entry)
        self._resync_by(logged, event)

    def _dispatch_project(self, logged: LoggedEvent, event: ProjectEvent) -> None:
        self.counters.record_delivery(event)
        if event.change is ProjectChange.RANKS:
            self.task_cache.invalidate_project(event.project_id)
        self._subscribers.offer_to_project(logged, event)

    def _resync_by(self, logged: LoggedEvent, event: AccessNews) -> None:
        for subscriber in self._affected(event):
            if subscriber.view.needs_resync_by(event):
                subscriber.resync_if_behind(logged.position)

    def _on_log_break(self, reason: ResyncReason) -> None:
        self._replay.recent.clear()
        self._log_reader.write_times.commits.clear()
        self.task_cache.invalidate_all()
        self.memberships.forget_all()
        self._subscribers.forget_memberships()
        for subscriber in self._subscribers:
            subscriber.reset(reason)
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
        # The other callbacks must still run.
        _log.exception("a callback of the event stream failed")
