"""asyncio helpers: wake event, broadcast event, fair scheduler, single flight, supervised loop."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any, Final, Generic, TypeVar

from domain.errors import Unavailable

CALLS_PER_ROUND: Final = 1_000
"""Callbacks that run before the event loop gets its turn, at most."""
SHORTEST_ROUND: Final = 0.001
LONGEST_ROUND: Final = 0.02
"""Seconds after which the event loop gets its turn."""

ValueT = TypeVar("ValueT")

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 1.0

_log: Final = logging.getLogger("taskriver.stream")


class WakeEvent:
    """An event for one waiter. Any number of `set` calls wake it once."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def set(self) -> None:
        """Wake the current waiter, or the next one."""
        self._event.set()

    def clear(self) -> None:
        """Forget earlier calls of `set`."""
        self._event.clear()

    async def wait(self, seconds: float | None = None) -> None:
        """Wait until `set` is called, or until *seconds* have passed."""
        if seconds is None:
            await self._event.wait()
        else:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._event.wait()
        self._event.clear()


class BroadcastEvent:
    """Wakes all current waiters. It has no state: a waiter that comes later waits for the next notification."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def notify_all(self) -> None:
        """Wake all current waiters."""
        self._next.set()
        self._next = asyncio.Event()

    async def wait(self) -> None:
        """Wait for the next notification."""
        await self._next.wait()


class FairScheduler:
    """Runs callbacks in order, in rounds. Between two rounds the event loop continues with other work.

    If thousands of subscribers woke at once, the loop would be blocked until all of them have run: the log would not be
    read, the lease would expire, and after its renewal thousands would wait for it again.

    While callbacks wait, a round may take as long as the other work since the last round, within the limits above. So
    callbacks get half of the time of a busy loop: with a fixed number of them per round, the rate of callbacks would
    decrease with the number of requests that are served in between. A longer callback asks `has_time` to end early.
    """

    def __init__(
        self, on_round_end: Callable[[], None] = lambda: None, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._on_round_end = on_round_end
        self._clock = clock
        self._waiting: deque[Callable[[], None]] = deque()
        self._is_scheduled = False
        self._waits_since: float | None = None
        """The end of the last round, if callbacks have been waiting since then."""
        self._ends_at = 0.0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, wake: Callable[[], None]) -> None:
        """Schedule a callback."""
        self._waiting.append(wake)
        self._schedule()

    @property
    def has_time(self) -> bool:
        """Whether the current round may continue."""
        return self._clock() < self._ends_at

    async def wait_turn(self) -> None:
        """Wait for a turn in the same queue."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.add(partial(_start_turn, turn))
        await turn

    def _schedule(self) -> None:
        if self._waiting and not self._is_scheduled:
            self._is_scheduled = True
            asyncio.get_running_loop().call_soon(self._run_some)

    def _run_some(self) -> None:
        self._begin_round()
        try:
            for _ in range(CALLS_PER_ROUND):
                self._waiting.popleft()()
                if not self._waiting or not self.has_time:
                    break
        finally:
            self._is_scheduled = False
            self._on_round_end()
            self._waits_since = self._clock() if self._waiting else None
            self._schedule()

    def _begin_round(self) -> None:
        now = self._clock()
        other_work = now - self._waits_since if self._waits_since is not None else 0.0
        self._ends_at = now + min(max(other_work, SHORTEST_ROUND), LONGEST_ROUND)


def _start_turn(turn: asyncio.Future[None]) -> None:
    if not turn.done():
        turn.set_result(None)


class SingleFlight(Generic[ValueT]):
    """Runs shared work once, in its own task. A waiter that is cancelled does not cancel it for the others.

    *on_done* is called when the work has ended, successfully or not.
    """

    def __init__(
        self, work: Coroutine[Any, Any, ValueT], on_done: Callable[["SingleFlight[ValueT]"], None] = lambda flight: None
    ) -> None:
        self._on_done = on_done
        self._waiting: set[asyncio.Future[None]] = set()
        self._then: list[Callable[[SingleFlight[ValueT]], None]] = []
        self.stopped = False
        self._task = asyncio.create_task(work)
        self._task.add_done_callback(self._finish)

    @property
    def done(self) -> bool:
        """Whether the work has ended."""
        return self._task.done()

    @property
    def failed(self) -> bool:
        """Whether the work was cancelled or raised an exception."""
        return self.stopped or (self._task.done() and (self._task.cancelled() or self._task.exception() is not None))

    @property
    def value(self) -> ValueT:
        """The result, once the work is done; raises its exception."""
        return self._task.result()

    async def result(self) -> ValueT:
        """Wait for the result. If the last waiter is cancelled, the work is cancelled too."""
        if not self._task.done():
            await self._wait()
        return self.value

    def then(self, call: Callable[["SingleFlight[ValueT]"], None]) -> None:
        """Call *call* when the work has ended, successfully or not. A registered callback keeps the work running."""
        self._then.append(call)

    async def _wait(self) -> None:
        future = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            await future
        finally:
            self._waiting.discard(future)
            if not self._waiting and not self._then and not self._task.done():
                self.stopped = True
                self._task.cancel()

    def _finish(self, task: asyncio.Task[ValueT]) -> None:
        if not task.cancelled():
            task.exception()  # mark the exception as retrieved, even if no waiter is left
        self._on_done(self)
        for future in self._waiting:
            if not future.done():
                future.set_result(None)
        for call in self._then:
            call(self)


class Backoff:
    """Growing pauses between attempts: from 0.1 seconds, doubled each time, up to *longest*."""

    def __init__(self, longest: float = LONGEST_PAUSE) -> None:
        self._longest = longest
        self._next = FIRST_PAUSE

    def reset(self) -> None:
        """Start with the shortest pause again."""
        self._next = FIRST_PAUSE

    async def pause(self) -> None:
        """Wait before the next attempt."""
        pause, self._next = self._next, min(2 * self._next, self._longest)
        await asyncio.sleep(pause)


async def run_forever(step: Callable[[], Awaitable[None]], what: str) -> None:
    """Repeat *step*. Failures are logged, once per outage if the database is unavailable, and followed by a pause."""
    backoff, down = Backoff(), False
    while True:
        try:
            await step()
        except Unavailable as error:
            if not down:
                _log.warning("%s: %s", what, error.message)
            down = True
            await backoff.pause()
        except Exception:
            _log.exception("%s failed; trying again", what)
            await backoff.pause()
        else:
            if down:
                _log.warning("%s: works again", what)
            down = False
            backoff.reset()
