"""Direct delivery gives the same items as waking the task, and leaves the rest to the task."""

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
from streaming.subscription import ITEMS_PER_TURN, MAX_ATTEMPTS, Subscriber
from streaming.subscription_queue import QueuedEvent
from tests.streaming.conftest import StartProcess
from tests.streaming.support import Process, a_task_event, an_access_event, an_actor, until
from tests.support.waiting import HANG_SECONDS

ADMIN = an_actor(Role.ADMIN)


class Listener:
    """Receives events directly as *deliver_one* allows, and the others by iterating."""

    def __init__(self, subscriber: Subscriber, deliver_one: Callable[[QueuedEvent], SingleFlight[Any] | bool]) -> None:
        self.received: list[int] = []
        self.woken: list[int] = []
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()
        self._subscriber = subscriber
        self._deliver_one = deliver_one
        subscriber.deliver_directly(self._deliver)
        self.task = asyncio.create_task(self._listen())

    def _deliver(self, noted: QueuedEvent) -> SingleFlight[Any] | bool:
        outcome = self._deliver_one(noted)
        if outcome is True:
            self.received.append(noted.position)
        return outcome

    async def _listen(self) -> None:
        async for item in self._subscriber:
            position = _position(item)
            self.received.append(position)
            self.woken.append(position)
            await self.may_go_on.wait()


def _position(item: Item) -> int:
    assert isinstance(item, Delivered), item
    return item.position


@asynccontextmanager
async def a_listener(
    process: Process, deliver_one: Callable[[QueuedEvent], SingleFlight[Any] | bool] = lambda noted: True
) -> AsyncIterator[Listener]:
    """A waiting subscriber of an admin."""
    async with process.stream.subscribe(ADMIN, None, None) as subscriber:
        listener = Listener(subscriber, deliver_one)
        await until(lambda: subscriber._consumer_waits)
        yield listener
        listener.task.cancel()
        await asyncio.gather(listener.task, return_exceptions=True)


async def some(process: Process, many: int) -> None:
    """Deliver several events."""
    await process.record(*(a_task_event() for _ in range(many)))
    await process.reaches(many)


async def test_a_waiting_subscriber_is_not_woken(process: Process):
    """Events are in order, the cursor advances, deliveries are counted; the task does not run."""
    async with a_listener(process) as listener:
        await some(process, 25)
        await until(lambda: len(listener.received) == 25)

        assert listener.received == list(range(1, 26))
        assert listener.woken == []
        assert process.stream.counters.delivered == 25
        assert listener._subscriber.cursor == listener._subscriber._cursors.at(25)


async def test_an_event_that_cannot_be_delivered_directly_wakes_the_task(process: Process):
    """The order is the same."""
    async with a_listener(process, lambda noted: noted.position % 3 != 0) as listener:
        await some(process, 9)
        await until(lambda: len(listener.received) == 9)

        assert listener.received == list(range(1, 10))
        assert {3, 6, 9} <= set(listener.woken)


async def test_a_busy_consumer_is_not_passed_by(process: Process):
    """While the task has something in hand, what follows waits for it."""
    async with a_listener(process, lambda noted: noted.position != 1) as listener:
        listener.may_go_on.clear()
        await some(process, 3)
        await asyncio.sleep(0.05)
        assert listener.received == [1]
        listener.may_go_on.set()
        await until(lambda: len(listener.received) == 3)

        assert listener.received == [1, 2, 3]


async def test_a_running_read_is_awaited_without_the_task(process: Process):
    """Then the event is delivered."""
    gate = asyncio.Event()
    runs: list[SingleFlight[bool]] = []

    def deliver_one(noted: QueuedEvent) -> SingleFlight[Any] | bool:
        if not runs:
            runs.append(SingleFlight(gate.wait()))
        return runs[0].done or runs[0]

    async with a_listener(process, deliver_one) as listener:
        await some(process, 2)
        await until(lambda: runs)
        assert listener.received == []
        gate.set()
        await until(lambda: len(listener.received) == 2)

        assert listener.woken == []


async def test_a_failure_is_left_to_the_task(process: Process):
    """It meets the failure itself, and can report it."""

    async def fail() -> None:
        raise OSError("no")

    async with a_listener(process, lambda noted: SingleFlight(fail())) as listener:
        await some(process, 1)
        await until(lambda: listener.received)

        assert listener.woken == [1]


async def test_the_number_of_attempts_is_bounded(process: Process):
    """An event that is always too old is left to the task."""
    begun: list[int] = []

    def deliver_one(noted: QueuedEvent) -> SingleFlight[Any] | bool:
        begun.append(noted.position)
        return SingleFlight(asyncio.sleep(0))

    async with a_listener(process, deliver_one) as listener:
        await some(process, 1)
        await until(lambda: listener.received)

        assert (len(begun), listener.woken) == (MAX_ATTEMPTS + 1, [1])


async def test_a_bug_is_the_tasks(process: Process):
    """It does not take the others' turns with it."""

    def deliver_one(noted: QueuedEvent) -> bool:
        raise ZeroDivisionError

    async with a_listener(process, deliver_one) as broken, a_listener(process) as other:
        await some(process, 2)
        await until(lambda: len(broken.received) == len(other.received) == 2)

        assert (broken.woken, other.woken) == ([1, 2], [])


async def test_an_overflowing_queue_is_read_from_the_log(start: StartProcess):
    """By the task, while a read is running."""
    gate = asyncio.Event()
    process = await start(capacity=3)
    run: SingleFlight[Any] | None = None

    def deliver_one(noted: QueuedEvent) -> SingleFlight[Any] | bool:
        nonlocal run
        run = run or SingleFlight(gate.wait())
        return run.done or run

    async with a_listener(process, deliver_one) as listener:
        await some(process, 1)
        await until(lambda: run is not None)
        await process.record(*(a_task_event() for _ in range(9)))
        await process.reaches(10)
        assert listener.received == []
        gate.set()
        await until(lambda: len(listener.received) == 10)

        assert listener.received == list(range(1, 11))


async def test_a_revoked_subscriber_receives_nothing_more(process: Process):
    """Not even queued events."""
    gate = asyncio.Event()
    run: SingleFlight[Any] | None = None

    def deliver_one(noted: QueuedEvent) -> SingleFlight[Any] | bool:
        nonlocal run
        run = run or SingleFlight(gate.wait())
        return (run.done and listener._subscriber.trusts(process.stream.lease.now)) or run

    async with a_listener(process, deliver_one) as listener:
        await some(process, 1)
        revoked = an_access_event(ADMIN, AccessChange.SESSION_REVOKED)
        assert isinstance(revoked, AccessEvent)
        await process.record(revoked)
        with pytest.raises(Unauthenticated):
            await asyncio.wait_for(listener.task, HANG_SECONDS)
        gate.set()
        await asyncio.sleep(0.05)

        assert listener.received == []


async def test_a_woken_consumer_hands_its_queue_back(process: Process):
    """After a few items the others are delivered directly, which takes much less time."""
    async with a_listener(process, lambda queued: queued.position != 1) as listener:
        listener.may_go_on.clear()
        await some(process, 1)
        await until(lambda: listener.woken)
        await process.record(*(a_task_event() for _ in range(100)))
        await process.reaches(101)
        listener.may_go_on.set()
        await until(lambda: len(listener.received) == 101)

        assert listener.received == list(range(1, 102))
        assert len(listener.woken) <= ITEMS_PER_TURN
