"""Stops work that nobody waits for any more."""

import asyncio
from types import TracebackType
from typing import Final, Self

from starlette.types import Receive

from asgi.timeouts import TimeoutQueue

PATIENCE_SECONDS: Final = 0.05
"""Most requests are answered before it is worth looking whether the client is still there."""


class DisconnectWatcher:
    """Cancels the block when the client hangs up, and then lets execution go on behind it with `gone` set.

    It begins to look when its alarm rings. The request's body must have been read: until the answer is sent, ASGI has
    only the disconnect left to tell.
    """

    __slots__ = ("_alarms", "_receive", "_running", "_watching", "gone")

    def __init__(self, receive: Receive, alarms: TimeoutQueue) -> None:
        self._receive = receive
        self._alarms = alarms
        self._watching: asyncio.Task[None] | None = None
        self.gone = False

    def __enter__(self) -> Self:
        self._running = asyncio.current_task()
        self._alarms.set(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> bool:
        self._alarms.off(self)
        if self._watching is not None:
            self._watching.cancel()
        if not self.gone or self._running is None:
            return False
        # Somebody else may have cancelled, too; that is theirs to see.
        return self._running.uncancel() == 0 and kind is asyncio.CancelledError

    def ring(self) -> None:
        """It has taken long enough to be worth a look."""
        self._watching = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        if self._running is not None:
            self.gone = True
            self._running.cancel()
