"""What has become of a task that an item is about, when the item is told."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import count
from typing import Final, NamedTuple
from uuid import UUID

from domain.actor import OPERATOR, Actor
from domain.errors import Unavailable
from domain.events import People, TaskEvent
from domain.policy import Action, TaskPeople, may
from persistence.database import Database
from persistence.models import TaskRow
from persistence.unit_of_work import UnitOfWork
from services import task as task_service
from services.task import CurrentTask
from streaming.asyncio_helpers import Backoff, SingleFlight
from streaming.lease import Clock, Lease

KEPT: Final = 1_024
KEPT_SECONDS: Final = 0.5
"""Half a lease, so that what is told of a reading does not grow old before it is sent."""
AT_ONCE: Final = 2
UNKNOWN: Final = CurrentTask()


@dataclass(slots=True)
class TaskSnapshot:
    """A task as it was read, not before *at*, or None if there was none; a greater number was read later.

    Of a task that was deleted, `deleted_of` says whose it was then.
    It is superseded when the task is, or will be, read anew for what is told from then on.
    """

    task: TaskRow | None = None
    deleted_of: People | None = None
    number: int = 0
    at: float = 0.0
    superseded: bool = False

    @property
    def people(self) -> TaskPeople | None:
        """Who decides who may be told of it: whose it is, or was when it was deleted."""
        return self.task or self.deleted_of


class _Begun(NamedTuple):
    """A reading, and the work that fills it in, together with others."""

    reading: TaskSnapshot
    run: SingleFlight[None]


Ahead = Callable[[], Iterable[UUID]]
"""The tasks that will be asked for next; called when something has to be read."""


class TaskCache:
    """The tasks that are being told of, each read once for everybody.

    A reading holds until the next event of its task is told here, and for half a second at most. Whatever is told
    meanwhile tells the same reading, so that to nobody a task ever goes back in time. It is made in nobody's name:
    who uses it asks the policy who may see it.
    """

    def __init__(self, database: Database, lease: Lease, clock: Clock) -> None:
        self._database = database
        self._lease = lease
        self._clock = clock
        self._begun: OrderedDict[UUID, _Begun] = OrderedDict()
        self._deleted: OrderedDict[UUID, People] = OrderedDict()
        self._numbers = count(1)
        self._gate = asyncio.Semaphore(AT_ONCE)

    async def read(self, task_id: UUID, ahead: Iterable[UUID] = ()) -> TaskSnapshot:
        """The task; while the database is away or too busy this waits, however long.

        If it has to be read, those *ahead*, which will be asked for next, are read with it.
        """
        reading, run = self._reading(task_id, ahead)
        await run.result()
        return reading

    async def seen_by(self, actor: Actor, task_id: UUID, ahead: Ahead = tuple[UUID]) -> TaskSnapshot:
        """The task, if the actor may see it; waits as `read` does."""
        return _seen_by(actor, self._held(task_id) or await self.read(task_id, ahead()))

    def begun(self, actor: Actor, task_id: UUID, ahead: Ahead = tuple[UUID]) -> TaskSnapshot | SingleFlight[None]:
        """As `seen_by` for who cannot wait: the task, or what has begun that will find it."""
        held = self._held(task_id)
        return _seen_by(actor, held) if held is not None else self._reading(task_id, ahead()).run

    @property
    def nothing(self) -> TaskSnapshot:
        """What is read when there is no task to read."""
        return TaskSnapshot(at=self._lease.now)

    def note(self, event: TaskEvent) -> None:
        """Something happens to a task: it is read again for callers from now on."""
        self.forget(event.task_id)
        if event.deleted and event.before is not None:
            self._deleted[event.task_id] = event.before
            if len(self._deleted) > KEPT:
                self._deleted.popitem(last=False)
        else:
            self._deleted.pop(event.task_id, None)  # an import may create it again

    def forget(self, task_id: UUID) -> None:
        """Something has happened to the task: who asks from now on gets another reading."""
        self._supersede(self._begun.pop(task_id, None))

    def forget_all(self) -> None:
        """Events were left out, and nobody knows of which tasks."""
        self._deleted.clear()
        while self._begun:
            self._supersede(self._begun.popitem()[1])

    def _supersede(self, begun: _Begun | None) -> None:
        if begun is not None:
            begun.reading.superseded = True

    def _reading(self, task_id: UUID, ahead: Iterable[UUID]) -> _Begun:
        begun = self._begun.get(task_id)
        if begun is None or not self._holds(begun):
            self._begin([task_id, *(each for each in ahead if not self._is_held(each))])
        return self._begun[task_id]

    def _held(self, task_id: UUID) -> TaskSnapshot | None:
        """The reading, if it is there; then nobody has to wait for it."""
        begun = self._begun.get(task_id)
        return begun.reading if begun is not None and begun.run.done and self._holds(begun) else None

    def _is_held(self, task_id: UUID) -> bool:
        begun = self._begun.get(task_id)
        return begun is not None and self._holds(begun)

    def _holds(self, begun: _Begun) -> bool:
        if begun.run.failed:
            return False
        return not begun.run.done or self._clock() - begun.reading.at < KEPT_SECONDS

    def _begin(self, task_ids: Collection[UUID]) -> None:
        number = next(self._numbers)
        readings = {task_id: TaskSnapshot(number=number) for task_id in task_ids}
        run = SingleFlight(self._fill(readings))
        for task_id, reading in readings.items():
            self.forget(task_id)
            self._begun[task_id] = _Begun(reading, run)
        while len(self._begun) > KEPT:
            self._supersede(self._begun.popitem(last=False)[1])

    async def _fill(self, readings: Mapping[UUID, TaskSnapshot]) -> None:
        # What was deleted stays deleted and is not read: a client that resumes has many events of such tasks.
        deleted = {key: CurrentTask(deleted_of=self._deleted[key]) for key in readings if key in self._deleted}
        found, at = deleted, self._lease.now
        if unknown := readings.keys() - deleted.keys():
            read, at = await current_tasks(self._lease, self._gate, self._unit_of_work, unknown)
            found = deleted | read
        for task_id, reading in readings.items():
            current = found.get(task_id, UNKNOWN)
            reading.task, reading.deleted_of, reading.at = current.row, current.deleted_of, at

    def _unit_of_work(self) -> UnitOfWork:
        return self._database.unit_of_work(OPERATOR)


def _seen_by(actor: Actor, reading: TaskSnapshot) -> TaskSnapshot:
    if reading.people is None or may(actor, Action.READ_TASK, reading.people):
        return reading
    # Nobody else is told what is told of this one, so that it need not hear when it is superseded.
    return replace(reading, task=None, deleted_of=None)


async def current_tasks(
    lease: Lease, gate: asyncio.Semaphore, unit_of_work: Callable[[], UnitOfWork], task_ids: Collection[UUID]
) -> tuple[dict[UUID, CurrentTask], float]:
    """What has become of the tasks, as far as the actor may know, by id, and an instant since when.

    They are asked for when it is their turn at the *gate*: waiting there does not make them old. While the database is
    away or too busy this waits, however long.
    """
    backoff = Backoff()
    while True:
        async with gate:
            asked_at = lease.now
            try:
                found = await task_service.find_current(unit_of_work(), ids=task_ids)
                if lease.covers(asked_at):
                    return found, asked_at
            except Unavailable:
                pass  # the sweep says so, once for everybody
        await backoff.pause()
        # The wait may have been long: what the actor may see must be known anew before anything is shown.
        while not lease.fresh:
            await backoff.pause()
