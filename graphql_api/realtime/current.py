"""What has become of a task that an item is about, when the item is told."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import count
from typing import Final, NamedTuple
from uuid import UUID

from domain.actor import OPERATOR, Actor
from domain.errors import Unavailable
from domain.policy import Action, may
from graphql_api.realtime.forever import Backoff
from graphql_api.realtime.lease import Clock, Lease
from graphql_api.realtime.run import Run
from persistence.engine import Database
from persistence.models import TaskRow
from persistence.unit_of_work import UnitOfWork
from services import task as task_service

KEPT: Final = 1_024
KEPT_SECONDS: Final = 0.5
"""Half a lease, so that what is told of a reading does not grow old before it is sent."""
AT_ONCE: Final = 2


class Reading(NamedTuple):
    """A task as it was read, not before *at*, or None if there was none; a greater number was read later."""

    task: TaskRow | None
    number: int
    at: float


class _Batch(NamedTuple):
    """Tasks that were read together."""

    found: dict[UUID, TaskRow]
    number: int
    at: float


class CurrentTasks:
    """The tasks that are being told of, each read once for everybody.

    A reading holds until the next event of its task is told here, and for half a second at most. Whatever is told
    meanwhile tells the same reading, so that to nobody a task ever goes back in time. It is made in nobody's name:
    who uses it asks the policy who may see it.
    """

    def __init__(self, database: Database, lease: Lease, clock: Clock) -> None:
        self._database = database
        self._lease = lease
        self._clock = clock
        self._begun: OrderedDict[UUID, Run[_Batch]] = OrderedDict()
        self._numbers = count(1)
        self._gate = asyncio.Semaphore(AT_ONCE)

    async def read(self, task_id: UUID, ahead: Iterable[UUID] = ()) -> Reading:
        """The task; while the database is away or too busy this waits, however long.

        If it has to be read, those *ahead*, which will be asked for next, are read with it.
        """
        if not self._holds(task_id):
            self._begin([task_id, *(each for each in ahead if not self._holds(each))])
        batch = await self._begun[task_id].result()
        return Reading(batch.found.get(task_id), batch.number, batch.at)

    async def seen_by(self, actor: Actor, task_id: UUID, ahead: Callable[[], Iterable[UUID]] = tuple[UUID]) -> Reading:
        """The task, if the actor may see it; waits as `read` does."""
        reading = self._held(task_id) or await self.read(task_id, ahead())
        if reading.task is None or may(actor, Action.READ_TASK, reading.task):
            return reading
        return reading._replace(task=None)

    def forget(self, task_id: UUID) -> None:
        """Something has happened to the task: who asks from now on gets another reading."""
        self._begun.pop(task_id, None)

    def forget_all(self) -> None:
        """Events were left out, and nobody knows of which tasks."""
        self._begun.clear()

    def _held(self, task_id: UUID) -> Reading | None:
        """The reading, if it is there; then nobody has to wait for it."""
        run = self._begun.get(task_id)
        if run is None or not run.done or not self._holds(task_id):
            return None
        batch = run.value
        return Reading(batch.found.get(task_id), batch.number, batch.at)

    def _holds(self, task_id: UUID) -> bool:
        run = self._begun.get(task_id)
        if run is None or run.failed:
            return False
        return not run.done or self._clock() - run.value.at < KEPT_SECONDS

    def _begin(self, task_ids: Sequence[UUID]) -> None:
        run = Run(self._read(task_ids))
        for task_id in task_ids:
            self._begun[task_id] = run
            self._begun.move_to_end(task_id)
        while len(self._begun) > KEPT:
            self._begun.popitem(last=False)

    async def _read(self, task_ids: Collection[UUID]) -> _Batch:
        number = next(self._numbers)
        found, at = await current_tasks(self._lease, self._gate, self._unit_of_work, task_ids)
        return _Batch(found, number, at)

    def _unit_of_work(self) -> UnitOfWork:
        return self._database.unit_of_work(OPERATOR)


async def current_tasks(
    lease: Lease, gate: asyncio.Semaphore, unit_of_work: Callable[[], UnitOfWork], task_ids: Collection[UUID]
) -> tuple[dict[UUID, TaskRow], float]:
    """Those of the tasks that the actor sees, by id, and an instant since when.

    They are asked for when it is their turn at the *gate*: waiting there does not make them old. While the database is
    away or too busy this waits, however long.
    """
    backoff = Backoff()
    while True:
        async with gate:
            asked_at = lease.now
            try:
                found = await task_service.find_tasks(unit_of_work(), ids=task_ids)
                if lease.covers(asked_at):
                    return found, asked_at
            except Unavailable:
                pass  # the sweep says so, once for everybody
        await backoff.pause()
        # The wait may have been long: what the actor may see must be known anew before anything is shown.
        while not lease.fresh:
            await backoff.pause()
