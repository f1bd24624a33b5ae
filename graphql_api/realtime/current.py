"""What has become of a task that an item is about, when the item is told."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from itertools import count
from typing import Final, NamedTuple
from uuid import UUID

from domain.actor import OPERATOR
from domain.errors import Unavailable
from graphql_api.realtime.forever import Backoff
from graphql_api.realtime.lease import Clock, Lease
from graphql_api.realtime.run import Run
from persistence.engine import Database
from persistence.models import TaskRow
from persistence.unit_of_work import UnitOfWork
from services import task as task_service

KEPT: Final = 256
KEPT_SECONDS: Final = 0.5
"""Half a lease, so that what is told of a reading does not grow old before it is sent."""
AT_ONCE: Final = 2


class Reading(NamedTuple):
    """A task as it was read, not before *at*, or None if there was none; a greater number was read later."""

    task: TaskRow | None
    number: int
    at: float


class _Begun(NamedTuple):
    run: Run[Reading]
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
        self._begun: OrderedDict[UUID, _Begun] = OrderedDict()
        self._numbers = count(1)
        self._gate = asyncio.Semaphore(AT_ONCE)

    async def read(self, task_id: UUID) -> Reading:
        """The task; while the database is away or too busy this waits, however long."""
        begun = self._begun.get(task_id)
        if begun is None or begun.run.stopped or self._clock() - begun.at >= KEPT_SECONDS:
            begun = self._begin(task_id)
        return await begun.run.result()

    def forget(self, task_id: UUID) -> None:
        """Something has happened to the task: who asks from now on gets another reading."""
        self._begun.pop(task_id, None)

    def _begin(self, task_id: UUID) -> _Begun:
        begun = self._begun[task_id] = _Begun(Run(self._read(task_id)), self._clock())
        self._begun.move_to_end(task_id)
        if len(self._begun) > KEPT:
            self._begun.popitem(last=False)
        return begun

    async def _read(self, task_id: UUID) -> Reading:
        number, at = next(self._numbers), self._clock()
        return Reading(await current_task(self._lease, self._unit_of_work, task_id), number, at)

    def _unit_of_work(self) -> UnitOfWork:
        return self._database.unit_of_work(OPERATOR, gate=self._gate)


async def current_task(lease: Lease, unit_of_work: Callable[[], UnitOfWork], task_id: UUID) -> TaskRow | None:
    """The task as the actor sees it now; while the database is away or too busy this waits, however long."""
    backoff = Backoff()
    while True:
        asked_at = lease.now
        try:
            task = (await task_service.find_tasks(unit_of_work(), ids=[task_id])).get(task_id)
            if lease.covers(asked_at):
                return task
        except Unavailable:
            pass  # the sweep says so, once for everybody
        await backoff.pause()
        # The wait may have been long: what the actor may see must be known anew before anything is shown.
        while not lease.fresh:
            await backoff.pause()
