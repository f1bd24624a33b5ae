"""The WebSocket protocol class for uvicorn: handshake timeout, batched frames, abort."""

import struct
from asyncio import TimerHandle
from typing import TYPE_CHECKING, Any, Final

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode, Frame
from websockets.http11 import Request
from websockets.protocol import State

from asgi.socket_writer import ABORT, PUT
from streaming.lease import LEASE_SECONDS, seconds

if TYPE_CHECKING:
    from asyncio.transports import BaseTransport

    from uvicorn._types import ASGISendEvent


HANDSHAKE_SECONDS: Final = 10.0
"""Time in which the handshake must be answered."""

_TEXT: Final = b"A WebSocket handshake is a GET request of HTTP/1.1 with valid header fields and without a body.\n"
_BAD_REQUEST: Final = (
    b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"content-length: %d\r\n\r\n%b" % (len(_TEXT), _TEXT)
)
_UNAVAILABLE: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n"
)

_TEXT_FRAME: Final = 0x81
"""The first byte of an unfragmented text frame."""
MAX_FRAMES: Final = 32
"""Frames that are written together, at most."""
CLOSE_SECONDS: Final = 5.0
"""Time for the peer to answer the close frame; then the connection is closed without an answer."""


class HandshakeProtocol(WebSocketsSansIOProtocol):
    """Answers or closes every handshake.

    - websockets records an invalid request in an attribute that uvicorn does not read. It is refused here, with the
      response that websockets has prepared, or with 400.
    - Frames that arrive before the handshake is answered are kept, and reading stops. websockets would treat them as
      part of an open connection, answer them before the handshake, or fail.
    - A handshake that is not answered in time is closed, for example if the client reads nothing.
    - A shutdown answers a pending handshake with 503, and nothing is sent on it afterwards.
    """

    handshake_seconds: float = HANDSHAKE_SECONDS

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._early_data = bytearray()
        self._deadline: TimerHandle | None = None

    def connection_made(self, transport: "BaseTransport") -> None:
        """Start the timer for the handshake."""
        super().connection_made(transport)
        self._deadline = self.loop.call_later(self.handshake_seconds, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timer, and release the data."""
        self._end_deadline()
        self._early_data.clear()
        super().connection_lost(exc)
        self.conn.parser.close()  # a generator of the connection, to which it refers

    def data_received(self, data: bytes) -> None:
        """Read the request, keep what follows it until it is answered, and read frames after that."""
        if self.handshake_complete:
            super().data_received(data)
        elif self.handshake_initiated:
            self._early_data += data
            self.transport.pause_reading()
        else:
            super().data_received(data)
            if not self.handshake_initiated:
                self._answer(b"".join(self.conn.data_to_send()) or _BAD_REQUEST)

    async def send(self, message: "ASGISendEvent") -> None:
        """Send a message of the application, which may answer the handshake."""
        is_answered = self.handshake_complete
        await super().send(message)
        if self.handshake_complete and not is_answered:
            self._end_deadline()
            self._process_early_data()

    def shutdown(self) -> None:
        """Refuse a pending handshake, or close the connection."""
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

    def _process_early_data(self) -> None:
        early_data, self._early_data = bytes(self._early_data), bytearray()
        if early_data and not self.close_sent:
            self.transport.resume_reading()
            super().data_received(early_data)

    def _end_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def text_frame(text: bytes) -> bytes:
    """A text message in one unmasked frame (RFC 6455, 5.2)."""
    size = len(text)
    if size < 126:
        return bytes((_TEXT_FRAME, size)) + text
    if size < 65_536:
        return struct.pack("!BBH", _TEXT_FRAME, 126, size) + text
    return struct.pack("!BBQ", _TEXT_FRAME, 127, size) + text


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


class WebSocketProtocol(HandshakeProtocol):
    """Lets the application abort a connection, and writes frames in batches.

    A normal close waits until the peer has read everything; aborting does not. Text frames of one iteration of the
    event loop are written together, because writing is the most expensive part of a delivery, and in a burst each
    client gets several frames at once.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.close_timeout = CLOSE_SECONDS
        self._frames: list[bytes] = []
        self._queued_at = 0.0

    def connection_lost(self, exc: Exception | None) -> None:
        """Release everything that refers back to this object."""
        super().connection_lost(exc)
        if hasattr(self, "scope"):  # it is set when a complete handshake is passed to the application
            self.scope["extensions"].clear()

    async def send(self, message: "ASGISendEvent") -> None:
        """Send a message of the application: text frames in batches, all others at once."""
        text = message.get("text") if message["type"] == "websocket.send" else None
        if text is None or not self.put(text):
            self._flush()
            await super().send(message)
            if self.initial_response is not None and self.close_sent:
                self.handshake_complete = True  # a refusal answers it too; otherwise uvicorn would log an error

    def put(self, text: str) -> bool:
        """Send a text frame in the next iteration of the loop. False, without effect, if that is not possible now."""
        if not self._can_send or not self.writable.is_set():
            return False
        if not self._frames:
            self._queued_at = seconds()
            self.loop.call_soon(self._flush)
        self._frames.append(text_frame(text.encode()))
        if len(self._frames) >= MAX_FRAMES:
            self._flush()
        return True

    def shutdown(self) -> None:
        """Send the waiting frames and a close frame, and close the connection; abort it if that fails.

        uvicorn closes one connection after the other: an exception would prevent the others, and the server, from
        closing.
        """
        self.loop.call_later(self.close_timeout, self.transport.abort)  # closes a connection whose client does not read
        try:
            self._flush()
            self._close_for_shutdown()
        except Exception:
            self.logger.exception("a WebSocket could not be closed normally")
            self.transport.abort()

    def _close_for_shutdown(self) -> None:
        if self.handshake_complete and self.conn.state is not State.OPEN:
            self.transport.close()  # a close frame was sent or received already, and only one is allowed
        else:
            super().shutdown()

    def handle_ping(self) -> None:
        """Answer a ping, unless the peer does not read: its pongs would fill the memory.

        A later pong may answer several pings (RFC 6455, 5.5.3).
        """
        if self.writable.is_set() or self.conn.state is not State.OPEN:
            super().handle_ping()
        else:
            self.conn.data_to_send()  # discard the pong

    def handle_cont(self, event: Frame) -> None:
        """Take a continuation frame. Empty ones are not kept, because no size limit counts them."""
        if event.data or event.fin:
            super().handle_cont(event)

    def send_receive_event_to_app(self) -> None:
        """Pass on a complete message. Invalid UTF-8 (RFC 6455, 8.1) closes the connection, without an error log."""
        if self.curr_msg_data_type == "bytes" or self.close_sent or _is_text(b"".join(self.frames)):
            super().send_receive_event_to_app()
            return
        self.frames = []
        if self.conn.state is State.OPEN:  # not if a close frame followed the message
            self.conn.send_close(CloseCode.INVALID_DATA)
            self.handle_parser_exception()

    def _flush(self) -> None:
        frames, self._frames = self._frames, []
        if not frames or not self._can_send:  # no frame may follow a close frame
            return
        if seconds() - self._queued_at < LEASE_SECONDS:
            self.transport.write(b"".join(frames))
        else:
            # The process was frozen in between, so the receivers' rights are no longer known. The clients will
            # reconnect.
            self.transport.abort()

    @property
    def _can_send(self) -> bool:
        is_open = self.handshake_complete and self.conn.state is State.OPEN
        return is_open and not (self.disconnected or self.close_sent or self.transport.is_closing())

    def handle_connect(self, event: Request) -> None:
        """Handle a handshake."""
        super().handle_connect(event)
        if self.response.status_code == 101:
            extensions: dict[str, Any] = self.scope["extensions"]
            extensions[ABORT] = self.transport.abort
            extensions[PUT] = self.put
