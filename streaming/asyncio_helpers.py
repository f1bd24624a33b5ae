"""asyncio helpers: wake event, broadcast event, fair scheduler, single flight, supervised loop."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any, Final, Generic, TypeVar

from domain.errors import Unavailable

AT_A_TIME: Final = 32
"""So many run before everything else in this process gets its turn."""

ValueT = TypeVar("ValueT")

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 1.0

_log: Final = logging.getLogger("taskriver.stream")


class WakeEvent:
    """Set any number of times, it wakes its one waiter once."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def set(self) -> None:
        """Wake whoever waits, or whoever will wait next."""
        self._event.set()

    async def wait(self, seconds: float | None = None) -> None:
        """Wait until it has been set, at most for so long."""
        if seconds is None:
            await self._event.wait()
        else:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._event.wait()
        self._event.clear()


class BroadcastEvent:
    """Unlike an event it is never set: who comes after a beat waits for the next one."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def beat(self) -> None:
        """Wake whoever waits now."""
        self._next.set()
        self._next = asyncio.Event()

    async def wait(self) -> None:
        """Wait for the next beat."""
        await self._next.wait()


class FairScheduler:
    """Calls what wakes somebody, in order, and lets the loop go round between every few.

    Thousands who are woken at once keep the loop for as long as all of them take: the log is not looked at meanwhile,
    the lease runs out, and when it is renewed thousands wait for it again. Those who come first also find out what
    the others then only have to pick up.
    """

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()
        self._has_begun = False

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, wake: Callable[[], None]) -> None:
        """Have it called when it is its turn; returns at once."""
        self._waiting.append(wake)
        self._go_on()

    async def take(self) -> None:
        """Wait for one's own turn."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.add(partial(_begin, turn))
        await turn

    def _go_on(self) -> None:
        if self._waiting and not self._has_begun:
            self._has_begun = True
            asyncio.get_running_loop().call_soon(self._some)

    def _some(self) -> None:
        self._has_begun = False
        try:
            for _ in range(min(AT_A_TIME, len(self._waiting))):
                self._waiting.popleft()()
        finally:
            self._go_on()


def _begin(turn: asyncio.Future[None]) -> None:
    if not turn.done():
        turn.set_result(None)


class SingleFlight(Generic[ValueT]):
    """Begins at once, in a task of its own: none of those who wait can end it for the others.

    *over* is called when it has ended, however it did.
    """

    def __init__(
        self, work: Coroutine[Any, Any, ValueT], over: Callable[["SingleFlight[ValueT]"], None] = lambda run: None
    ) -> None:
        self._over = over
        self._waiting: set[asyncio.Future[None]] = set()
        self._then: list[Callable[[SingleFlight[ValueT]], None]] = []
        self.stopped = False
        self._task = asyncio.create_task(work)
        self._task.add_done_callback(self._finish)

    @property
    def done(self) -> bool:
        """Whether `value` is there."""
        return self._task.done()

    @property
    def failed(self) -> bool:
        """Whether nothing came of it."""
        return self.stopped or (self._task.done() and (self._task.cancelled() or self._task.exception() is not None))

    @property
    def value(self) -> ValueT:
        """What came of it, once it is done; raises what it raised."""
        return self._task.result()

    async def result(self) -> ValueT:
        """What came of it; raises what it raised. When the last one who waits is cancelled, the work is stopped."""
        if not self._task.done():
            await self._wait()
        return self.value

    def then(self, call: Callable[["SingleFlight[ValueT]"], None]) -> None:
        """Have *call* called when it has ended, however it did; whoever wants that keeps the work going."""
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
            task.exception()  # it may be that nobody is left to see it
        self._over(self)
        for future in self._waiting:
            if not future.done():
                future.set_result(None)
        for call in self._then:
            call(self)


class Backoff:
    """Growing pauses between attempts, in seconds: from 0.1, doubled, up to *longest*."""

    def __init__(self, longest: float = LONGEST_PAUSE) -> None:
        self._longest = longest
        self._next = FIRST_PAUSE

    def reset(self) -> None:
        """It worked: begin with the shortest pause the next time."""
        self._next = FIRST_PAUSE

    async def pause(self) -> None:
        """Wait before the next attempt."""
        pause, self._next = self._next, min(2 * self._next, self._longest)
        await asyncio.sleep(pause)


async def run_forever(step: Callable[[], Awaitable[None]], what: str) -> None:
    """Repeat *step*; when it fails, say so, once per outage if it is the database, and pause before going on."""
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
            _log.exception("%s failed, and goes on", what)
            await backoff.pause()
        else:
            if down:
                _log.warning("%s: works again", what)
            down = False
            backoff.reset()
