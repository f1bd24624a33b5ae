"""Cancels work when its client disconnects."""

import asyncio
from types import TracebackType
from typing import Final, Self

from starlette.types import Receive

from asgi.timeouts import TimeoutQueue

DELAY_SECONDS: Final = 0.05
"""Most requests are answered sooner, so checking for a disconnect before that is wasted work."""


class DisconnectWatcher:
    """Cancels the block when the client disconnects; execution continues after it with `disconnected` set.

    It starts to watch after a delay. The request's body must have been read: until the response is sent, the only ASGI
    message left to receive is the disconnect.
    """

    __slots__ = ("_receive", "_task", "_timeouts", "_watcher", "disconnected")

    def __init__(self, receive: Receive, timeouts: TimeoutQueue) -> None:
        self._receive = receive
        self._timeouts = timeouts
        self._watcher: asyncio.Task[None] | None = None
        self.disconnected = False

    def __enter__(self) -> Self:
        self._task = asyncio.current_task()
        self._timeouts.add(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> bool:
        self._timeouts.remove(self)
        if self._watcher is not None:
            self._watcher.cancel()
        if not self.disconnected or self._task is None:
            return False
        # Another cancellation may be pending, and must not be swallowed.
        return self._task.uncancel() == 0 and kind is asyncio.CancelledError

    def on_timeout(self) -> None:
        """The delay is over: start to watch."""
        self._watcher = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        if self._task is not None:
            self.disconnected = True
            self._task.cancel()
