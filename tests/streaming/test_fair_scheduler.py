"""Many waiting callers are run in groups, so that other tasks run in between."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import pytest

from streaming import asyncio_helpers as module
from streaming.asyncio_helpers import FairScheduler
from tests.support.waiting import HANG_SECONDS


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten at a time."""
    monkeypatch.setattr(module, "CALLS_PER_ROUND", 10)


@pytest.fixture
async def failures() -> AsyncIterator[list[object]]:
    """What reaches the exception handler of the loop. Other tests use the loop, too."""
    loop, found = asyncio.get_running_loop(), list[object]()
    before = loop.get_exception_handler()
    loop.set_exception_handler(lambda _, context: found.append(context.get("exception")))
    yield found
    loop.set_exception_handler(before)


async def rounds(turns: FairScheduler) -> int:
    """The number of loop iterations until no caller waits."""
    count = 0
    while turns:
        count += 1
        await asyncio.sleep(0)
    return count


class TestTurns:
    async def test_all_are_called_in_order_and_others_run_in_between(self):
        """A hundred in groups of ten take ten iterations."""
        turns, called = FairScheduler(), list[int]()
        for number in range(100):
            turns.add(partial(called.append, number))

        assert 10 <= await rounds(turns) <= 12
        assert called == list(range(100))

    async def test_a_caller_added_by_another_is_called(self):
        """Also when the queue was about to be empty."""
        turns, called = FairScheduler(), list[str]()
        turns.add(partial(turns.add, partial(called.append, "later")))
        await rounds(turns)
        turns.add(partial(called.append, "again"))
        await rounds(turns)

        assert called == ["later", "again"]

    async def test_a_caller_may_add_itself_in_its_round(self, failures: list[object]):
        """No round is left over without a caller."""
        turns, called = FairScheduler(), list[int]()

        def call() -> None:
            called.append(1)
            if len(called) < 25:
                turns.add(call)

        turns.add(call)
        await rounds(turns)
        await asyncio.sleep(0)

        assert (len(called), failures) == (25, [])

    async def test_a_failing_caller_does_not_stop_others(self, failures: list[object]):
        """The failure goes to the loop's exception handler."""
        turns, called, failure = FairScheduler(), list[str](), RuntimeError("a bug")

        def fail() -> None:
            raise failure

        turns.add(fail)
        turns.add(partial(called.append, "after it"))
        await rounds(turns)

        assert called == ["after it"]
        assert failures == [failure]

    async def test_cancelled_waiters_are_skipped(self):
        """Of twenty-five, the first ten run first, and a cancelled one takes no place."""
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


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def work(self, seconds: float) -> None:
        """Work for so long."""
        self.now += seconds


class TestShare:
    @pytest.fixture(autouse=True)
    def many(self, few: None, monkeypatch: pytest.MonkeyPatch) -> None:
        """The number of callers does not matter here."""
        monkeypatch.setattr(module, "CALLS_PER_ROUND", 10_000)

    @pytest.mark.parametrize(("other_work", "callers"), [(0.0, 1), (0.004, 4), (0.015, 15), (0.5, 20)])
    async def test_callers_get_as_much_time_as_other_work(self, other_work: float, callers: int):
        """At least one millisecond and at most twenty, if each caller takes one."""
        clock = Clock()
        turns, called = FairScheduler(clock=clock), list[int]()

        def call() -> None:
            called.append(1)
            clock.work(0.001)

        for _ in range(1_000):
            turns.add(call)
        rounds = []
        for _ in range(6):
            before = len(called)
            await asyncio.sleep(0)
            rounds.append(len(called) - before)
            clock.work(other_work)

        assert all(each == pytest.approx(callers, abs=1) for each in rounds[2:]), rounds

    async def test_an_idle_loop_does_not_extend_a_round(self):
        """The time in which no caller waited is not other work."""
        clock = Clock()
        turns, called = FairScheduler(clock=clock), list[int]()
        turns.add(partial(called.append, 0))
        await rounds(turns)
        clock.work(60.0)
        for number in range(1, 100):
            turns.add(partial(called.append, number))
            turns.add(partial(clock.work, 0.001))
        await asyncio.sleep(0)

        assert len(called) <= 3

    async def test_a_long_caller_learns_that_the_round_is_over(self):
        """Before the time is used up, it may continue."""
        clock, asked = Clock(), list[bool]()
        turns = FairScheduler(clock=clock)

        def call() -> None:
            asked.append(turns.has_time)
            clock.work(0.001)
            asked.append(turns.has_time)

        turns.add(call)
        await rounds(turns)

        assert asked == [True, False]
