"""The one place that writes to a socket."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from starlette.types import Scope, Send

from asgi.timeouts import TimeLimit, TimeoutQueue

ABORT: Final = "taskriver.abort"
"""The extension of an ASGI scope that lets go of a connection at once: closing waits until its buffer is empty."""


PUT: Final = "taskriver.put"
"""The extension of an ASGI scope that sends a text frame without waiting."""

Abort = Callable[[], None]
Put = Callable[[str], bool]
"""False if that cannot be now: then nothing was sent."""


def abort_of(scope: Scope) -> Abort | None:
    """How to let go of a connection, where the server knows how."""
    found: Abort | None = (scope.get("extensions") or {}).get(ABORT)
    return found


def put_of(scope: Scope) -> Put | None:
    """How to send a text frame without waiting, where the server knows how."""
    found: Put | None = (scope.get("extensions") or {}).get(PUT)
    return found


class PeerDisconnected(Exception):
    """The peer hung up, or has read nothing for too long."""


class SocketWriter:
    """Sends frames, or parts of a body, one at a time, each before its alarm rings.

    A peer that reads nothing fills the buffers, and then every frame waits. Without an end to that wait such a peer
    would hold its socket, its operations and their memory for as long as it pleases. *abort* lets go of it.
    """

    def __init__(self, send: Send, alarms: TimeoutQueue, *, abort: Abort | None = None, put: Put | None = None) -> None:
        self._send = send
        self._put = put
        self._abort = abort
        self._alarms = alarms
        self._turn = asyncio.Lock()

    @property
    def busy(self) -> bool:
        """Whether something is being sent at this moment."""
        return self._turn.locked()

    def text(self, text: str) -> Awaitable[None]:
        """Send a text frame, and return when the server has taken it, to leave at once or in the loop's next round.

        Raises:
            PeerDisconnected: it did not.
        """
        return self._write({"type": "websocket.send", "text": text})

    def put(self, text: str) -> bool:
        """Send a text frame if nobody has to wait for that; else do nothing, and say so."""
        return self._put is not None and not self._turn.locked() and self._put(text)

    async def close(self, code: int, reason: str) -> None:
        """Send the close frame.

        Raises:
            PeerDisconnected: it did not get through.
        """
        await self._write({"type": "websocket.close", "code": code, "reason": reason})

    async def body(self, data: bytes, *, more: bool = True) -> None:
        """Send a part of an answer's body.

        Raises:
            PeerDisconnected: it did not get through.
        """
        await self._write({"type": "http.response.body", "body": data, "more_body": more})

    async def _write(self, message: dict[str, object]) -> None:
        try:
            with TimeLimit(self._alarms):
                async with self._turn:
                    await self._send(message)
        except TimeoutError:
            if self._abort is not None:
                self._abort()
            raise PeerDisconnected from None
        except (OSError, RuntimeError):
            # uvicorn's "client disconnected" is an OSError; a RuntimeError says that the socket was closed in between.
            raise PeerDisconnected from None
