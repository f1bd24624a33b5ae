"""Telling a listener in its turn: as good as waking it, and left to it whenever that is needed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from domain.errors import Unauthenticated
from domain.events import AccessChange, AccessEvent
from domain.user import Role
from streaming.asyncio_helpers import SingleFlight
from streaming.stream_items import Delivered, Item
from streaming.subscription import MAX_ATTEMPTS, Subscriber
from streaming.subscription_queue import QueuedEvent
from tests.streaming.conftest import StartProcess
from tests.streaming.support import Process, a_task_event, an_access_event, an_actor, until
from tests.support.waiting import HANG_SECONDS

ADMIN = an_actor(Role.ADMIN)


class Ear:
    """Hears what it is told at once, as *way* allows, and the rest by iterating."""

    def __init__(self, subscriber: Subscriber, way: Callable[[QueuedEvent], SingleFlight[Any] | bool]) -> None:
        self.heard: list[int] = []
        self.woken: list[int] = []
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()
        self._subscriber = subscriber
        self._way = way
        subscriber.deliver_directly(self._tell)
        self.task = asyncio.create_task(self._listen())

    def _tell(self, noted: QueuedEvent) -> SingleFlight[Any] | bool:
        outcome = self._way(noted)
        if outcome is True:
            self.heard.append(noted.position)
        return outcome

    async def _listen(self) -> None:
        async for item in self._subscriber:
            position = _position(item)
            self.heard.append(position)
            self.woken.append(position)
            await self.may_go_on.wait()


def _position(item: Item) -> int:
    assert isinstance(item, Delivered), item
    return item.position


@asynccontextmanager
async def an_ear(
    process: Process, way: Callable[[QueuedEvent], SingleFlight[Any] | bool] = lambda noted: True
) -> AsyncIterator[Ear]:
    """One that listens as an admin, and has begun to."""
    async with process.stream.subscribe(ADMIN, None, None) as subscriber:
        ear = Ear(subscriber, way)
        await until(lambda: subscriber._consumer_waits)
        yield ear
        ear.task.cancel()
        await asyncio.gather(ear.task, return_exceptions=True)


async def some(process: Process, many: int) -> None:
    """So many events, told by the process."""
    await process.record(*(a_task_event() for _ in range(many)))
    await process.reaches(many)


async def test_who_waits_is_not_woken(process: Process):
    """All comes in order, the cursor moves, and what was handed over is counted; the task does not run."""
    async with an_ear(process) as ear:
        await some(process, 25)
        await until(lambda: len(ear.heard) == 25)

        assert ear.heard == list(range(1, 26))
        assert ear.woken == []
        assert process.stream.counters.delivered == 25
        assert ear._subscriber.cursor == ear._subscriber._cursor(25)


async def test_what_cannot_be_told_at_once_wakes_the_task(process: Process):
    """In order, whoever tells it."""
    async with an_ear(process, lambda noted: noted.position % 3 != 0) as ear:
        await some(process, 9)
        await until(lambda: len(ear.heard) == 9)

        assert ear.heard == list(range(1, 10))
        assert {3, 6, 9} <= set(ear.woken)


async def test_a_busy_consumer_is_not_passed_by(process: Process):
    """While the task has something in hand, what follows waits for it."""
    async with an_ear(process, lambda noted: noted.position != 1) as ear:
        ear.may_go_on.clear()
        await some(process, 3)
        await asyncio.sleep(0.05)
        assert ear.heard == [1]
        ear.may_go_on.set()
        await until(lambda: len(ear.heard) == 3)

        assert ear.heard == [1, 2, 3]


async def test_what_has_to_end_before_is_waited_for_without_the_task(process: Process):
    """A reading, say; then it is told in another turn."""
    gate = asyncio.Event()
    runs: list[SingleFlight[bool]] = []

    def way(noted: QueuedEvent) -> SingleFlight[Any] | bool:
        if not runs:
            runs.append(SingleFlight(gate.wait()))
        return runs[0].done or runs[0]

    async with an_ear(process, way) as ear:
        await some(process, 2)
        await until(lambda: runs)
        assert ear.heard == []
        gate.set()
        await until(lambda: len(ear.heard) == 2)

        assert ear.woken == []


async def test_what_comes_to_nothing_is_the_tasks(process: Process):
    """It meets the failure itself, and can report it."""

    async def fail() -> None:
        raise OSError("no")

    async with an_ear(process, lambda noted: SingleFlight(fail())) as ear:
        await some(process, 1)
        await until(lambda: ear.heard)

        assert ear.woken == [1]


async def test_nobody_waits_again_and_again(process: Process):
    """What is too old whenever its turn comes is left to the task, which waits for it in peace."""
    begun: list[int] = []

    def way(noted: QueuedEvent) -> SingleFlight[Any] | bool:
        begun.append(noted.position)
        return SingleFlight(asyncio.sleep(0))

    async with an_ear(process, way) as ear:
        await some(process, 1)
        await until(lambda: ear.heard)

        assert (len(begun), ear.woken) == (MAX_ATTEMPTS + 1, [1])


async def test_a_bug_is_the_tasks(process: Process):
    """It does not take the others' turns with it."""

    def way(noted: QueuedEvent) -> bool:
        raise ZeroDivisionError

    async with an_ear(process, way) as broken, an_ear(process) as other:
        await some(process, 2)
        await until(lambda: len(broken.heard) == len(other.heard) == 2)

        assert (broken.woken, other.woken) == ([1, 2], [])


async def test_who_waits_for_too_much_reads_the_log(start: StartProcess):
    """A queue that overflows while a reading is under way is read again, by the task."""
    gate = asyncio.Event()
    process = await start(capacity=3)
    run: SingleFlight[Any] | None = None

    def way(noted: QueuedEvent) -> SingleFlight[Any] | bool:
        nonlocal run
        run = run or SingleFlight(gate.wait())
        return run.done or run

    async with an_ear(process, way) as ear:
        await some(process, 1)
        await until(lambda: run is not None)
        await process.record(*(a_task_event() for _ in range(9)))
        await process.reaches(10)
        assert ear.heard == []
        gate.set()
        await until(lambda: len(ear.heard) == 10)

        assert ear.heard == list(range(1, 11))


async def test_who_was_revoked_is_told_nothing_more(process: Process):
    """Not even what had its turn coming."""
    gate = asyncio.Event()
    run: SingleFlight[Any] | None = None

    def way(noted: QueuedEvent) -> SingleFlight[Any] | bool:
        nonlocal run
        run = run or SingleFlight(gate.wait())
        return (run.done and ear._subscriber.trusts(process.stream.lease.now)) or run

    async with an_ear(process, way) as ear:
        await some(process, 1)
        revoked = an_access_event(ADMIN, AccessChange.SESSION_REVOKED)
        assert isinstance(revoked, AccessEvent)
        await process.record(revoked)
        with pytest.raises(Unauthenticated):
            await asyncio.wait_for(ear.task, HANG_SECONDS)
        gate.set()
        await asyncio.sleep(0.05)

        assert ear.heard == []
