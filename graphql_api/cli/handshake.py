"""The opening handshake of a WebSocket as uvicorn and websockets do it, where every one comes to an end."""

from asyncio import TimerHandle
from typing import TYPE_CHECKING, Any, Final

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

if TYPE_CHECKING:
    from asyncio.transports import BaseTransport

    from uvicorn._types import ASGISendEvent

HANDSHAKE_SECONDS: Final = 10.0
"""From the request until it must have been answered."""

_TEXT: Final = b"A WebSocket handshake is a GET request of HTTP/1.1 with valid header fields and without a body.\n"
_BAD_REQUEST: Final = (
    b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"content-length: %d\r\n\r\n%b" % (len(_TEXT), _TEXT)
)
_UNAVAILABLE: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n"
)


class HandshakeProtocol(WebSocketsSansIOProtocol):
    """Answers or closes every handshake.

    - websockets notes a request that it cannot read in an attribute, which uvicorn does not look at. It is refused
      here, with the answer that websockets has prepared, or with 400.
    - Frames that arrive before the answer are held until it is sent, and nothing more is read meanwhile. websockets
      would take them for part of an open connection, answer them before the handshake, or fail.
    - A handshake that is not answered in time is closed, for example when the client reads nothing.
    - A shutdown refuses a handshake that is not answered yet with 503, and nothing is sent on it afterwards.
    """

    handshake_seconds: float = HANDSHAKE_SECONDS

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._held = bytearray()
        self._deadline: TimerHandle | None = None

    def connection_made(self, transport: "BaseTransport") -> None:
        """The connection is ours from here on."""
        super().connection_made(transport)
        self._deadline = self.loop.call_later(self.handshake_seconds, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._end_deadline()
        self._held.clear()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read the request, hold what follows it until it is answered, and read frames after that."""
        if self.handshake_complete:
            super().data_received(data)
        elif self.handshake_initiated:
            self._held += data
            self.transport.pause_reading()
        else:
            super().data_received(data)
            if not self.handshake_initiated:
                self._answer(b"".join(self.conn.data_to_send()) or _BAD_REQUEST)

    async def send(self, message: "ASGISendEvent") -> None:
        """Send what the application says; the handshake may be answered by it."""
        is_answered = self.handshake_complete
        await super().send(message)
        if self.handshake_complete and not is_answered:
            self._end_deadline()
            self._release()

    def shutdown(self) -> None:
        """The server is going."""
        if self.handshake_complete:
            super().shutdown()
        else:
            self._answer(_UNAVAILABLE)
            self.disconnected = True
            self.queue.put_nowait({"type": "websocket.disconnect", "code": 1006})

    def _answer(self, response: bytes) -> None:
        self.handshake_complete = self.close_sent = True
        self._end_deadline()
        self.transport.write(response)
        self.transport.close()

    def _release(self) -> None:
        held, self._held = bytes(self._held), bytearray()
        if held and not self.close_sent:
            self.transport.resume_reading()
            super().data_received(held)

    def _end_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
