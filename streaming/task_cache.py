"""The current state of the tasks that events are about."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Collection, Coroutine, Iterable
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from typing import Any, Final, NamedTuple
from uuid import UUID

from domain.actor import OPERATOR, Actor
from domain.errors import Unavailable
from domain.events import People, TaskEvent
from domain.policy import TaskPeople
from persistence.database import Database
from persistence.models import VisibleTaskRow
from persistence.unit_of_work import UnitOfWork
from streaming.asyncio_helpers import Backoff, SingleFlight
from streaming.lease import Clock, Lease
from streaming.visibility import may_see

MAX_TASKS: Final = 1_024
MAX_AGE_SECONDS: Final = 0.5
"""Half a lease, so that an answer made from a snapshot is still valid when it is sent."""
MAX_READS: Final = 1
"""Reads that run at the same time. Tasks that are needed meanwhile are read together by the next one."""
MAX_TASKS_OF_READ: Final = 500


@dataclass(frozen=True, slots=True)
class CurrentTask:
    """The current row of a task, or the people of a task that was deleted."""

    row: VisibleTaskRow | None = None
    deleted_of: People | None = None


UNKNOWN: Final = CurrentTask()
"""A task of which the log holds nothing any more."""


@dataclass(slots=True)
class TaskSnapshot:
    """A task as it was read at *at* or later, or None if it did not exist.

    `deleted_of` holds the people of a deleted task. A larger `number` was read later. The snapshot is superseded when
    the task is, or will be, read again for later events.
    """

    task: VisibleTaskRow | None = None
    deleted_of: People | None = None
    number: int = 0
    at: float = 0.0
    superseded: bool = False

    @property
    def people(self) -> TaskPeople | None:
        """The people of the task, or those at its deletion. They decide who may see it."""
        return self.task or self.deleted_of


class _CachedRead(NamedTuple):
    """A snapshot, and the work that fills it together with others."""

    snapshot: TaskSnapshot
    flight: SingleFlight[None]


class _WaitingRead:
    """A read that waits for its slot. Until it starts, more tasks can be added."""

    def __init__(self, fill: Callable[["_WaitingRead"], Coroutine[Any, Any, None]]) -> None:
        self.snapshots: list[tuple[UUID, TaskSnapshot]] = []
        self.deleted: dict[UUID, People] = {}
        """The tasks that are not read because they were deleted when the read started."""
        self.flight = SingleFlight(fill(self))

    @property
    def takes_more(self) -> bool:
        """Whether tasks can be added."""
        return len(self.snapshots) < MAX_TASKS_OF_READ and not self.flight.stopped


Upcoming = Callable[[], Iterable[UUID]]
"""The tasks that will be needed next; called when something has to be read."""


class TaskCache:
    """Reads each task once for all subscribers.

    A snapshot is valid until the next event of its task is dispatched here, and for half a second at most. All answers
    in this time use the same snapshot, so no subscriber sees a task go back in time. Tasks are read without regard to
    permissions: callers check the policy.
    """

    def __init__(self, database: Database, lease: Lease, clock: Clock, dispatched_since: Callable[[], float]) -> None:
        """*dispatched_since* returns an instant before which all committed events have been applied to this cache."""
        self._database = database
        self._lease = lease
        self._clock = clock
        self._dispatched_since = dispatched_since
        self._reads: OrderedDict[UUID, _CachedRead] = OrderedDict()
        self._deleted: OrderedDict[UUID, People] = OrderedDict()
        self._numbers = count(1)
        self._read_slots = asyncio.Semaphore(MAX_READS)
        self._waiting: _WaitingRead | None = None

    async def read(self, task_id: UUID, upcoming: Iterable[UUID] = ()) -> TaskSnapshot:
        """The task. Waits while the database is unavailable or busy.

        If it has to be read, the *upcoming* tasks are read with it.
        """
        snapshot, flight = self._read_or_start(task_id, upcoming)
        await flight.result()
        return snapshot

    async def visible_to(self, actor: Actor, task_id: UUID, upcoming: Upcoming = tuple[UUID]) -> TaskSnapshot:
        """The task as the actor may see it; waits like `read`."""
        return _visible_to(actor, self._ready(task_id) or await self.read(task_id, upcoming()))

    def get_or_start(
        self, actor: Actor, task_id: UUID, upcoming: Upcoming = tuple[UUID]
    ) -> TaskSnapshot | SingleFlight[None]:
        """Like `visible_to`, but does not wait: the task, or the read that was started."""
        ready = self._ready(task_id)
        return _visible_to(actor, ready) if ready is not None else self._read_or_start(task_id, upcoming()).flight

    @property
    def is_empty(self) -> bool:
        """Whether nothing has to be updated for events."""
        return not (self._reads or self._deleted)

    @property
    def empty(self) -> TaskSnapshot:
        """The snapshot of an item without a task."""
        return TaskSnapshot(at=self._lease.now)

    def apply(self, event: TaskEvent) -> None:
        """Update the cache for an event: later callers read the task again."""
        self.forget(event.task_id)
        if event.deleted and event.before is not None:
            self._deleted[event.task_id] = event.before
            if len(self._deleted) > MAX_TASKS:
                self._deleted.popitem(last=False)

    def forget(self, task_id: UUID) -> None:
        """Update the cache for an event of a task that is not deleted: later callers read the task again."""
        self.invalidate(task_id)
        self._deleted.pop(task_id, None)  # it may have been restored, or imported again

    def invalidate(self, task_id: UUID) -> None:
        """Remove a task: later callers read it again."""
        self._supersede(self._reads.pop(task_id, None))

    def invalidate_project(self, project_id: UUID) -> None:
        """Remove the tasks of a project, and those that are being read: several of them were changed by one event."""
        for task_id, cached in list(self._reads.items()):
            task = cached.snapshot.task
            if not cached.flight.done or (task is not None and task.project_id == project_id):
                self.invalidate(task_id)

    def invalidate_all(self) -> None:
        """Remove all tasks, because events were missed."""
        self._deleted.clear()
        while self._reads:
            self._supersede(self._reads.popitem()[1])

    def _supersede(self, cached: _CachedRead | None) -> None:
        if cached is not None:
            cached.snapshot.superseded = True

    def _read_or_start(self, task_id: UUID, upcoming: Iterable[UUID]) -> _CachedRead:
        cached = self._reads.get(task_id)
        if cached is None or not self._is_valid(cached):
            self._start([task_id, *(each for each in upcoming if not self._is_cached(each))])
        return self._reads[task_id]

    def _ready(self, task_id: UUID) -> TaskSnapshot | None:
        """The snapshot if it is available without waiting."""
        cached = self._reads.get(task_id)
        return cached.snapshot if cached is not None and cached.flight.done and self._is_valid(cached) else None

    def _is_cached(self, task_id: UUID) -> bool:
        cached = self._reads.get(task_id)
        return cached is not None and self._is_valid(cached)

    def _is_valid(self, cached: _CachedRead) -> bool:
        if cached.flight.failed:
            return False
        return not cached.flight.done or self._clock() - cached.snapshot.at < MAX_AGE_SECONDS

    def _start(self, task_ids: Collection[UUID]) -> None:
        if self._waiting is None or not self._waiting.takes_more:
            self._waiting = _WaitingRead(self._fill)
        number = next(self._numbers)
        for task_id in dict.fromkeys(task_ids):
            self.invalidate(task_id)
            snapshot = TaskSnapshot(number=number)
            self._waiting.snapshots.append((task_id, snapshot))
            self._reads[task_id] = _CachedRead(snapshot, self._waiting.flight)
        while len(self._reads) > MAX_TASKS:
            self._supersede(self._reads.popitem(last=False)[1])

    async def _fill(self, read: _WaitingRead) -> None:
        found, at = await current_tasks(
            self._lease, self._read_slots, self._unit_of_work, partial(self._start_read, read)
        )
        for task_id, snapshot in read.snapshots:
            current = found.get(task_id) or _deleted_task(read.deleted.get(task_id) or self._deleted.get(task_id))
            snapshot.task, snapshot.deleted_of, snapshot.at = current.row, current.deleted_of, at

    def _start_read(self, read: _WaitingRead) -> set[UUID]:
        """Take no more tasks into this read, and return those that have to be read."""
        if self._waiting is read:
            self._waiting = None
        wanted = {task_id for task_id, _ in read.snapshots}
        # Deleted tasks are not read again: a client that resumes has many events of such tasks. A process that is late
        # reads them, because such a task may have been restored, and hidden from users who saw it then. The people are
        # kept, because a task may be restored before the read ends.
        if self._clock() - self._dispatched_since() < MAX_AGE_SECONDS:
            read.deleted = {task_id: self._deleted[task_id] for task_id in wanted & self._deleted.keys()}
        return wanted - read.deleted.keys()

    def _unit_of_work(self) -> UnitOfWork:
        return self._database.delivery_unit_of_work(OPERATOR)


def _deleted_task(people: People | None) -> CurrentTask:
    return CurrentTask(deleted_of=people) if people is not None else UNKNOWN


def _visible_to(actor: Actor, snapshot: TaskSnapshot) -> TaskSnapshot:
    if snapshot.people is None or may_see(actor, snapshot.people):
        return snapshot
    # This copy is not shared with other subscribers, so it does not have to be marked as superseded.
    return replace(snapshot, task=None, deleted_of=None)


async def current_tasks(
    lease: Lease, slots: asyncio.Semaphore, unit_of_work: Callable[[], UnitOfWork], take: Callable[[], Collection[UUID]]
) -> tuple[dict[UUID, CurrentTask], float]:
    """The current state of the tasks, by id, and the time from which it is valid.

    *take* returns the tasks. It is called when a slot is free, so waiting for it does not make them old. Waits while
    the database is unavailable or busy.
    """
    backoff = Backoff()
    while True:
        async with slots:
            started_at = lease.now
            task_ids = take()
            try:
                found = await find_current(unit_of_work(), task_ids) if task_ids else {}
                if lease.covers(started_at):
                    return found, started_at
            except Unavailable:
                pass  # poll_step logs this once for the process
        await backoff.pause()
        # After a long wait, the actor's rights must be known again before anything is shown.
        while not lease.fresh:
            await backoff.pause()


async def find_current(uow: UnitOfWork, task_ids: Collection[UUID]) -> dict[UUID, CurrentTask]:
    """The current state of the tasks that the actor may see, by id; of deleted tasks as long as the log holds them."""
    async with uow:
        rows = await uow.tasks.find_many(task_ids)
        missing = set(task_ids) - rows.keys()
        deleted = await uow.events.deletions_of(missing) if missing else {}
    visible = {key: people for key, people in deleted.items() if may_see(uow.actor, people)}
    return {key: CurrentTask(row) for key, row in rows.items()} | {
        key: CurrentTask(deleted_of=people) for key, people in visible.items()
    }
