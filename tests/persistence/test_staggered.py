"""Attempts start one after another, and the first result counts."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial

import pytest

from persistence.staggered import first_success
from tests.support.virtual_time import in_virtual_time

DELAY = 0.3


class Attempts:
    """Attempts that take some seconds, with a log of their starts and of the results that were not wanted."""

    def __init__(self) -> None:
        self.started: list[tuple[str, float]] = []
        self.discarded: list[str] = []

    def make(
        self, name: str, seconds: float, error: Exception | None = None
    ) -> Callable[[], Coroutine[None, None, str]]:
        """An attempt that returns its name, or fails."""
        return partial(self._run, name, seconds, error)

    async def first(self, *attempts: Callable[[], Coroutine[None, None, str]]) -> str:
        """The first result."""
        return await first_success(attempts, delay=DELAY, discard=self.discarded.append)

    async def _run(self, name: str, seconds: float, error: Exception | None) -> str:
        self.started.append((name, round(asyncio.get_running_loop().time(), 3)))
        await asyncio.sleep(seconds)
        if error is not None:
            raise error
        return name


@in_virtual_time
async def test_the_first_attempt_is_the_only_one_if_it_is_fast():
    """The next one does not start."""
    made = Attempts()

    assert await made.first(made.make("a", 0.2), made.make("b", 0.1)) == "a"
    assert made.started == [("a", 0.0)]


@in_virtual_time
async def test_a_slow_attempt_is_followed_by_the_next():
    """The result of the slow one is discarded when it comes."""
    made = Attempts()

    assert await made.first(made.make("a", 5), made.make("b", 0.1), made.make("c", 0.1)) == "b"
    assert made.started == [("a", 0.0), ("b", DELAY)]
    await asyncio.sleep(5)
    assert made.discarded == ["a"]


@in_virtual_time
async def test_a_failed_attempt_is_followed_at_once():
    """Its error is not raised if another one succeeds."""
    made = Attempts()

    assert await made.first(made.make("a", 0.1, OSError()), made.make("b", 0.1)) == "b"
    assert made.started == [("a", 0.0), ("b", 0.1)]


@in_virtual_time
async def test_the_slow_attempt_can_still_succeed():
    """After the later ones have failed."""
    made = Attempts()

    assert await made.first(made.make("a", 2), made.make("b", 0.1, OSError())) == "a"


@in_virtual_time
async def test_all_errors_are_raised():
    """In the order of the failures."""
    made = Attempts()
    with pytest.raises(ExceptionGroup) as raised:
        await made.first(made.make("a", 1, OSError("a")), made.make("b", 0.1, OSError("b")))

    assert [str(error) for error in raised.value.exceptions] == ["b", "a"]


@in_virtual_time
async def test_results_after_a_cancellation_are_discarded():
    """The attempts are not cancelled."""
    made = Attempts()
    waiting = asyncio.create_task(made.first(made.make("a", 2), made.make("b", 2)))
    await asyncio.sleep(1)
    waiting.cancel()
    await asyncio.wait([waiting])
    await asyncio.sleep(5)

    assert waiting.cancelled()
    assert sorted(made.discarded) == ["a", "b"]
