"""Timeouts that cost almost nothing if they are not reached.

A timer of the event loop is cheap, but most of the work that it guards is cheaper: nearly every request has its body,
and nearly every frame is sent, before the timer is created. Here all timeouts of the same length share one timer.
"""

import asyncio
from itertools import takewhile
from types import TracebackType
from typing import Final, Protocol, Self


class ExpiryListener(Protocol):
    """An object that is called when its time is over."""

    def on_timeout(self) -> None:
        """The time is over."""


class TimeoutQueue:
    """Calls listeners *seconds* after they were added, unless they are removed before."""

    def __init__(self, seconds: float) -> None:
        self.seconds: Final = seconds
        self._deadlines: dict[ExpiryListener, float] = {}
        """The deadlines in ascending order, because all timeouts have the same length."""
        self._loop: asyncio.AbstractEventLoop | None = None

    def add(self, listener: ExpiryListener) -> None:
        """Call the listener after the queue's number of seconds."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._start(loop)
        self._deadlines[listener] = loop.time() + self.seconds

    def remove(self, listener: ExpiryListener) -> None:
        """Do not call the listener any more."""
        self._deadlines.pop(listener, None)

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._deadlines.clear()  # entries of another event loop, which has ended
        self._loop = loop
        loop.call_later(self.seconds, self._expire)

    def _expire(self) -> None:
        loop = asyncio.get_running_loop()
        self._loop = None
        now = loop.time()
        expired = [listener for listener, at in takewhile(lambda item: item[1] <= now, self._deadlines.items())]
        for listener in expired:
            del self._deadlines[listener]
        if self._deadlines:
            self._loop = loop
            loop.call_later(next(iter(self._deadlines.values())) - now, self._expire)
        for listener in expired:
            listener.on_timeout()


class TimeLimit:
    """Ends the block with `TimeoutError` after the queue's time: `asyncio.timeout` with a shared timer."""

    __slots__ = ("_cancelling", "_expired", "_task", "_timeouts")

    def __init__(self, timeouts: TimeoutQueue) -> None:
        self._timeouts = timeouts

    def __enter__(self) -> Self:
        task = asyncio.current_task()
        assert task is not None
        self._task, self._cancelling, self._expired = task, task.cancelling(), False
        self._timeouts.add(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._timeouts.remove(self)
        # Another cancellation may be pending, and must not be swallowed.
        if self._expired and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def on_timeout(self) -> None:
        """The time is over: cancel the block."""
        self._expired = True
        self._task.cancel()
