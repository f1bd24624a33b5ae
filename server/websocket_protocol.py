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
"""From the request until it must have been answered."""

_TEXT: Final = b"A WebSocket handshake is a GET request of HTTP/1.1 with valid header fields and without a body.\n"
_BAD_REQUEST: Final = (
    b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"content-length: %d\r\n\r\n%b" % (len(_TEXT), _TEXT)
)
_UNAVAILABLE: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n"
)

_WHOLE_TEXT: Final = 0x81
"""The first byte of a frame that is a whole message of text."""
MAX_FRAMES: Final = 32
"""So many leave at once, at most."""
CLOSE_SECONDS: Final = 5.0
"""For the peer to answer our close frame; after that the connection is closed without."""


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


def text_frame(text: bytes) -> bytes:
    """A message of text in one frame, as servers send it, without a mask (RFC 6455, 5.2)."""
    size = len(text)
    if size < 126:
        return bytes((_WHOLE_TEXT, size)) + text
    if size < 65_536:
        return struct.pack("!BBH", _WHOLE_TEXT, 126, size) + text
    return struct.pack("!BBQ", _WHOLE_TEXT, 127, size) + text


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


class WebSocketProtocol(HandshakeProtocol):
    """Lets the application let go of a peer that reads nothing: a close waits until everything was read.

    Frames of text that are sent in one round of the event loop leave together: to write is the dearest part of telling
    somebody something, and in a burst everybody is told several things at once.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.close_timeout = CLOSE_SECONDS
        self._frames: list[bytes] = []
        self._since = 0.0

    async def send(self, message: "ASGISendEvent") -> None:
        """Send what the application says: frames of text with those that come right after them, all others at once."""
        text = message.get("text") if message["type"] == "websocket.send" else None
        if text is None or not self.put(text):
            self._flush()
            await super().send(message)
            if self.initial_response is not None and self.close_sent:
                self.handshake_complete = True  # by a refusal, too, for which uvicorn would log an error

    def put(self, text: str) -> bool:
        """Have a frame of text leave in the loop's next round; False, and nothing is done, while that cannot be."""
        if not self._may_frame or not self.writable.is_set():
            return False
        if not self._frames:
            self._since = seconds()
            self.loop.call_soon(self._flush)
        self._frames.append(text_frame(text.encode()))
        if len(self._frames) >= MAX_FRAMES:
            self._flush()
        return True

    def shutdown(self) -> None:
        """Send what waits and a close frame, and close the connection; one that cannot be closed so is aborted.

        uvicorn asks one connection after the other: an exception would keep the others, and the server, from closing.
        """
        self.loop.call_later(self.close_timeout, self.transport.abort)  # unless the client reads what was sent
        try:
            self._flush()
            self._close_for_shutdown()
        except Exception:
            self.logger.exception("a WebSocket could not be closed in order")
            self.transport.abort()

    def _close_for_shutdown(self) -> None:
        if self.handshake_complete and self.conn.state is not State.OPEN:
            self.transport.close()  # a close frame was sent or received before, and no other may follow
        else:
            super().shutdown()

    def handle_ping(self) -> None:
        """Answer a ping; none that comes while the peer reads no answers, or these would fill our memory.

        Pings may be answered by the pong to a later one (RFC 6455, 5.5.3).
        """
        if self.writable.is_set() or self.conn.state is not State.OPEN:
            super().handle_ping()
        else:
            self.conn.data_to_send()  # and is dropped

    def handle_cont(self, event: Frame) -> None:
        """A message goes on; frames of nothing, which no limit of its size counts, are not kept."""
        if event.data or event.fin:
            super().handle_cont(event)

    def send_receive_event_to_app(self) -> None:
        """A message is whole. Text that is none (RFC 6455, 8.1) is a client's mistake; uvicorn would log an error."""
        if self.curr_msg_data_type == "bytes" or self.close_sent or _is_text(b"".join(self.frames)):
            super().send_receive_event_to_app()
            return
        self.frames = []
        if self.conn.state is State.OPEN:  # it is not if a close frame came right behind the message
            self.conn.send_close(CloseCode.INVALID_DATA)
            self.handle_parser_exception()

    def _flush(self) -> None:
        frames, self._frames = self._frames, []
        if not frames or not self._may_frame:  # nothing may follow a close frame
            return
        if seconds() - self._since < LEASE_SECONDS:
            self.transport.write(b"".join(frames))
        else:
            # The process stood still in between, and nobody knows who may be told this now. Whoever it was comes back.
            self.transport.abort()

    @property
    def _may_frame(self) -> bool:
        is_open = self.handshake_complete and self.conn.state is State.OPEN
        return is_open and not (self.disconnected or self.close_sent or self.transport.is_closing())

    def handle_connect(self, event: Request) -> None:
        """A client wants a socket."""
        super().handle_connect(event)
        if self.response.status_code == 101:
            extensions: dict[str, Any] = self.scope["extensions"]
            extensions[ABORT] = self.transport.abort
            extensions[PUT] = self.put
