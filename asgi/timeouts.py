"""Ends to waiting that cost next to nothing when nobody has to wait.

A timer of the event loop is cheap, but not as cheap as most of what it is set for: nearly every request has its body,
and nearly every frame has left, before the timer is made. All who wait for the same length of time share one here.
"""

import asyncio
from itertools import takewhile
from types import TracebackType
from typing import Final, Protocol, Self


class Timeout(Protocol):
    """Whoever wants to be told that it has taken too long."""

    def ring(self) -> None:
        """It has."""


class TimeoutQueue:
    """Alarms that ring *seconds* after they were set, unless they are put off before."""

    def __init__(self, seconds: float) -> None:
        self.seconds: Final = seconds
        self._set: dict[Timeout, float] = {}
        """The instants at which they ring, in this order, since all last the same."""
        self._loop: asyncio.AbstractEventLoop | None = None

    def set(self, alarm: Timeout) -> None:
        """Ring it when its time has come."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._begin(loop)
        self._set[alarm] = loop.time() + self.seconds

    def off(self, alarm: Timeout) -> None:
        """Do not ring it any more."""
        self._set.pop(alarm, None)

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        self._set.clear()  # of another loop, which is over
        self._loop = loop
        loop.call_later(self.seconds, self._ring)

    def _ring(self) -> None:
        loop = asyncio.get_running_loop()
        self._loop = None
        now = loop.time()
        due = [alarm for alarm, at in takewhile(lambda item: item[1] <= now, self._set.items())]
        for alarm in due:
            del self._set[alarm]
        if self._set:
            self._loop = loop
            loop.call_later(next(iter(self._set.values())) - now, self._ring)
        for alarm in due:
            alarm.ring()


class TimeLimit:
    """Ends the block with `TimeoutError` when an alarm rings in it: `asyncio.timeout`, by an alarm."""

    __slots__ = ("_alarms", "_cancelling", "_rung", "_task")

    def __init__(self, alarms: TimeoutQueue) -> None:
        self._alarms = alarms

    def __enter__(self) -> Self:
        task = asyncio.current_task()
        assert task is not None
        self._task, self._cancelling, self._rung = task, task.cancelling(), False
        self._alarms.set(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._alarms.off(self)
        # Somebody else may have cancelled, too; that is theirs to see.
        if self._rung and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def ring(self) -> None:
        """The time is over."""
        self._rung = True
        self._task.cancel()
