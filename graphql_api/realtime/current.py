"""What has become of a task that an item is about, when the item is told."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
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

KEPT: Final = 256
KEPT_SECONDS: Final = 0.5
"""Half a lease, so that what is told of a reading does not grow old before it is sent."""
AT_ONCE: Final = 2


class Reading(NamedTuple):
    """A task as it was read, not before *at*, or None if there was none; a greater number was read later."""

    task: TaskRow | None
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
        self._begun: OrderedDict[UUID, Run[Reading]] = OrderedDict()
        self._numbers = count(1)
        self._gate = asyncio.Semaphore(AT_ONCE)

    async def read(self, task_id: UUID) -> Reading:
        """The task; while the database is away or too busy this waits, however long."""
        run = self._begun.get(task_id)
        if run is None or run.failed or (run.done and await self._is_old(run)):
            run = self._begin(task_id)
        return await run.result()

    async def seen_by(self, actor: Actor, task_id: UUID) -> Reading:
        """The task, if the actor may see it; waits as `read` does."""
        reading = await self.read(task_id)
        if reading.task is None or may(actor, Action.READ_TASK, reading.task):
            return reading
        return reading._replace(task=None)

    def forget(self, task_id: UUID) -> None:
        """Something has happened to the task: who asks from now on gets another reading."""
        self._begun.pop(task_id, None)

    def forget_all(self) -> None:
        """Events were left out, and nobody knows of which tasks."""
        self._begun.clear()

    async def _is_old(self, run: Run[Reading]) -> bool:
        return self._clock() - (await run.result()).at >= KEPT_SECONDS

    def _begin(self, task_id: UUID) -> Run[Reading]:
        run = self._begun[task_id] = Run(self._read(task_id))
        self._begun.move_to_end(task_id)
        if len(self._begun) > KEPT:
            self._begun.popitem(last=False)
        return run

    async def _read(self, task_id: UUID) -> Reading:
        number = next(self._numbers)
        task, at = await current_task(self._lease, self._gate, self._unit_of_work, task_id)
        return Reading(task, number, at)

    def _unit_of_work(self) -> UnitOfWork:
        return self._database.unit_of_work(OPERATOR)


async def current_task(
    lease: Lease, gate: asyncio.Semaphore, unit_of_work: Callable[[], UnitOfWork], task_id: UUID
) -> tuple[TaskRow | None, float]:
    """The task as the actor sees it, and an instant since when.

    It is asked for when it is its turn at the *gate*: waiting there does not make it old. While the database is away
    or too busy this waits, however long.
    """
    backoff = Backoff()
    while True:
        async with gate:
            asked_at = lease.now
            try:
                task = (await task_service.find_tasks(unit_of_work(), ids=[task_id])).get(task_id)
                if lease.covers(asked_at):
                    return task, asked_at
            except Unavailable:
                pass  # the sweep says so, once for everybody
        await backoff.pause()
        # The wait may have been long: what the actor may see must be known anew before anything is shown.
        while not lease.fresh:
            await backoff.pause()
