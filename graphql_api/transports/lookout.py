"""Stops work that nobody waits for any more."""

import asyncio
from types import TracebackType
from typing import Final, Self

from starlette.types import Receive

PATIENCE_SECONDS: Final = 0.05
"""Most requests are answered before it is worth looking whether the client is still there."""


class Lookout:
    """Cancels the block when the client hangs up, and then lets execution go on behind it with `gone` set.

    The request's body must have been read: until the answer is sent, ASGI has only the disconnect left to tell.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._watching: asyncio.Task[None] | None = None
        self.gone = False

    async def __aenter__(self) -> Self:
        self._running = asyncio.current_task()
        self._timer = asyncio.get_running_loop().call_later(PATIENCE_SECONDS, self._start)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> bool:
        self._timer.cancel()
        if self._watching is not None:
            self._watching.cancel()
        if not self.gone or self._running is None:
            return False
        # Somebody else may have cancelled, too; that is theirs to see.
        return self._running.uncancel() == 0 and kind is asyncio.CancelledError

    def _start(self) -> None:
        self._watching = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        if self._running is not None:
            self.gone = True
            self._running.cancel()
