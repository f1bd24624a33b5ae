"""Builders and helpers for the stream's tests."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from domain.actor import Actor
from domain.errors import Unavailable
from domain.events import AccessChange, AccessEvent, Event, LoggedEvent, People, RecordedEvent, TaskChange, TaskEvent
from domain.task import TaskStatus
from domain.user import Role
from persistence.database import Database
from persistence.event_log import EventLog, Numbered
from streaming.lease import seconds
from streaming.notifier import Notification, Notifier
from streaming.stream import Stream
from streaming.stream_items import Delivered, Item, Resync
from streaming.subscription import Subscriber
from tests.support.builders import Builders
from tests.support.events import published
from tests.support.waiting import HANG_SECONDS

_versions = count(1)


def an_actor(role: Role = Role.USER, *, user_id: UUID | None = None, session_id: UUID | None = None) -> Actor:
    """An actor, not necessarily with a row."""
    return Actor(user_id or uuid4(), role, session_id or uuid4(), 1)


def a_task_event(owner: UUID | None = None, **values: Any) -> TaskEvent:
    """A change from TODO to DONE of a task."""
    people = People(owner or uuid4(), None)
    defaults: dict[str, Any] = {
        "task_id": uuid4(),
        "version": next(_versions),
        "changes": (TaskChange.STATUS,),
        "from_status": TaskStatus.TODO,
        "to_status": TaskStatus.DONE,
        "title": "A task",
        "before": people,
        "after": people,
        "actor_id": people.owner_id,
        "at": datetime.now(UTC),
        "request_id": None,
    }
    return TaskEvent(**defaults | values)


def an_access_event(actor: Actor | None = None, change: AccessChange = AccessChange.SESSION_REVOKED) -> AccessEvent:
    """The revocation of a session."""
    subject = actor or an_actor()
    session_id = subject.session_id if change is AccessChange.SESSION_REVOKED else None
    return AccessEvent(subject.user_id, change, session_id, None, subject.user_id, datetime.now(UTC), None)


def logged(*events: Event, first: int = 1) -> list[LoggedEvent]:
    """Events with their places in the log."""
    return [LoggedEvent(position, event) for position, event in enumerate(events, start=first)]


def a_notification(epoch: str, batch: Sequence[LoggedEvent]) -> Notification:
    """The notification of a process that has numbered this batch."""
    return Notification.of(Numbered(epoch, list(batch), [published(each) for each in batch]))


class CutOff(Database):
    """A database that can be made to look unreachable to the stream."""

    cut = False

    @asynccontextmanager
    async def log(self) -> AsyncIterator[EventLog]:
        """The log, unless it is cut off: before a statement is sent, or while it runs."""
        self._check()
        async with super().log() as log:
            yield log
        self._check()

    def _check(self) -> None:
        if self.cut:
            raise Unavailable("Cut off.")


class Process:
    """One process of the API: a pool, a stream, and builders to write with."""

    def __init__(self, url: str, redis_url: str, channel: str, **options: Any) -> None:
        self.late = 0.0
        self.database = CutOff(url)
        self.build = Builders(self.database)
        self.stream = Stream(self.database, Notifier(redis_url, channel=channel), clock=self._clock, **options)

    def sleep_through(self, duration: float) -> None:
        """Have the process find that time has passed without it."""
        self.late += duration

    async def record(self, *events: RecordedEvent) -> None:
        """Commit events, each in a transaction of its own."""
        for event in events:
            async with self.build.as_(None) as uow:
                uow.record(event)
                await uow.commit()

    async def reaches(self, position: int) -> None:
        """Wait until the process has delivered up to a position."""
        await until(lambda: self.stream.position >= position)

    async def stop(self) -> None:
        """End it in good order."""
        await self.stream.stop()
        await self.database.close()

    def _clock(self) -> float:
        return seconds() + self.late


async def until(condition: Callable[[], object], patience: float = HANG_SECONDS) -> None:
    """Wait for a condition; fail if it does not come true."""
    async with asyncio.timeout(patience):
        while not condition():
            await asyncio.sleep(0.005)


async def receive(subscriber: Subscriber, patience: float = HANG_SECONDS) -> Item:
    """The next item; fail if there is none."""
    async with asyncio.timeout(patience):
        return await anext(subscriber)


async def receive_event(subscriber: Subscriber, patience: float = HANG_SECONDS) -> TaskEvent:
    """The next event; fail if it is something else."""
    item = await receive(subscriber, patience)
    assert isinstance(item, Delivered), item
    assert isinstance(item.event, TaskEvent), item
    return item.event


async def receive_resync(subscriber: Subscriber) -> Resync:
    """The next item, which must be a resync."""
    item = await receive(subscriber)
    assert isinstance(item, Resync), item
    return item


async def receives_nothing(subscriber: Subscriber, for_seconds: float = 0.1) -> bool:
    """Whether nothing comes for a while."""
    try:
        async with asyncio.timeout(for_seconds):
            await anext(subscriber)
    except TimeoutError:
        return True
    return False
