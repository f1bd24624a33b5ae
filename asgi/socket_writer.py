"""Writes to a WebSocket or an event stream, one message at a time and within a time limit."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from starlette.types import Scope, Send

from asgi.timeouts import TimeLimit, TimeoutQueue

ABORT: Final = "taskriver.abort"
"""An extension of the ASGI scope that closes a connection at once. A normal close waits until its buffer is empty."""


PUT: Final = "taskriver.put"
"""An extension of the ASGI scope that sends a text frame without waiting."""

Abort = Callable[[], None]
Put = Callable[[str], bool]
"""Returns False if that is not possible now; then nothing is sent."""


def abort_of(scope: Scope) -> Abort | None:
    """The function that aborts the connection, if the server has the extension."""
    found: Abort | None = (scope.get("extensions") or {}).get(ABORT)
    return found


def put_of(scope: Scope) -> Put | None:
    """The function that sends a text frame without waiting, if the server has the extension."""
    found: Put | None = (scope.get("extensions") or {}).get(PUT)
    return found


class PeerDisconnected(Exception):
    """The peer disconnected, or has not read anything for too long."""


class SocketWriter:
    """Sends frames, or parts of a body, one at a time and each within the time limit.

    If a peer reads nothing, the buffers fill and every frame waits. Without a limit, such a peer would hold its socket,
    its operations and their memory as long as it likes. *abort* closes its connection. After `discard_frames` only the
    last message is sent.
    """

    __slots__ = ("_abort", "_discards", "_lock", "_put", "_send", "_timeouts")

    def __init__(
        self, send: Send, timeouts: TimeoutQueue, *, abort: Abort | None = None, put: Put | None = None
    ) -> None:
        self._send = send
        self._put = put
        self._abort = abort
        self._timeouts = timeouts
        self._lock = asyncio.Lock()
        self._discards = False

    @property
    def busy(self) -> bool:
        """Whether something is being sent now."""
        return self._lock.locked()

    def discard_frames(self) -> None:
        """Send no more frames, and do not send those that wait for another one. Then only the last message is sent."""
        self._discards, self._put = True, None

    def text(self, text: str) -> Awaitable[None]:
        """Send a text frame. Returns when the server has taken it, to send it at once or in the loop's next iteration.

        Raises:
            PeerDisconnected: the frame was not sent.
        """
        return self._write({"type": "websocket.send", "text": text})

    def put(self, text: str) -> bool:
        """Send a text frame if that is possible without waiting; otherwise return False."""
        return self._put is not None and not self._lock.locked() and self._put(text)

    async def close(self, code: int, reason: str) -> None:
        """Send the close frame.

        Raises:
            PeerDisconnected: it was not sent.
        """
        await self._write({"type": "websocket.close", "code": code, "reason": reason}, is_last=True)

    async def body(self, data: bytes, *, more: bool = True) -> None:
        """Send a part of a response body.

        Raises:
            PeerDisconnected: it was not sent.
        """
        await self._write({"type": "http.response.body", "body": data, "more_body": more}, is_last=not more)

    async def _write(self, message: dict[str, object], *, is_last: bool = False) -> None:
        try:
            with TimeLimit(self._timeouts):
                async with self._lock:
                    if is_last or not self._discards:
                        await self._send(message)
        except TimeoutError:
            if self._abort is not None:
                self._abort()
            raise PeerDisconnected from None
        except (OSError, RuntimeError):
            # uvicorn reports a disconnect as OSError; a RuntimeError means that the socket was closed in the meantime.
            raise PeerDisconnected from None
