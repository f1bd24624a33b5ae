"""Many are woken, and nobody else has to wait for all of them."""

import asyncio
from functools import partial

import pytest

from streaming import asyncio_helpers as module
from streaming.asyncio_helpers import FairScheduler
from tests.support.waiting import HANG_SECONDS


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten at a time."""
    monkeypatch.setattr(module, "CALLS_PER_ROUND", 10)


async def rounds(turns: FairScheduler) -> int:
    """How often the loop goes round until nobody waits any more."""
    count = 0
    while turns:
        count += 1
        await asyncio.sleep(0)
    return count


class TestTurns:
    async def test_all_are_called_in_order_and_others_run_in_between(self):
        """A hundred by tens takes ten rounds of the loop."""
        turns, called = FairScheduler(), list[int]()
        for number in range(100):
            turns.add(partial(called.append, number))

        assert 10 <= await rounds(turns) <= 12
        assert called == list(range(100))

    async def test_who_is_added_by_one_who_was_called_is_called(self):
        """Also when the queue was about to be empty."""
        turns, called = FairScheduler(), list[str]()
        turns.add(partial(turns.add, partial(called.append, "later")))
        await rounds(turns)
        turns.add(partial(called.append, "again"))
        await rounds(turns)

        assert called == ["later", "again"]

    async def test_one_that_fails_keeps_nobody_from_being_called(self):
        """The failure is told to the loop, and the others have their turn."""
        loop, delivered = asyncio.get_running_loop(), list[object]()
        loop.set_exception_handler(lambda loop, context: delivered.append(context["exception"]))
        turns, called, failure = FairScheduler(), list[str](), RuntimeError("a bug")

        def fail() -> None:
            raise failure

        turns.add(fail)
        turns.add(partial(called.append, "after it"))
        await rounds(turns)

        assert called == ["after it"]
        assert delivered == [failure]

    async def test_who_takes_turns_and_leaves_is_no_trouble(self):
        """Of twenty-five who wait the first ten go on first, and one who was cancelled takes nobody's place."""
        turns, done = FairScheduler(), list[int]()

        async def go(number: int) -> None:
            await turns.wait_turn()
            done.append(number)

        tasks = [asyncio.create_task(go(number)) for number in range(25)]
        await asyncio.sleep(0)
        tasks[3].cancel()
        for _ in range(2):
            await asyncio.sleep(0)
        assert done == [0, 1, 2, 4, 5, 6, 7, 8, 9]

        async with asyncio.timeout(HANG_SECONDS):
            await asyncio.gather(*tasks, return_exceptions=True)
        assert done == [number for number in range(25) if number != 3]
