"""WebSockets as uvicorn speaks them, with an end to its patience."""

import struct
from typing import TYPE_CHECKING, Any, Final

from websockets.frames import CloseCode, Frame
from websockets.http11 import Request
from websockets.protocol import State

from graphql_api.cli.handshake import HandshakeProtocol
from graphql_api.realtime.lease import LEASE_SECONDS, seconds
from graphql_api.wire.writer import ABORT, PUT

if TYPE_CHECKING:
    from uvicorn._types import ASGISendEvent

_WHOLE_TEXT: Final = 0x81
"""The first byte of a frame that is a whole message of text."""
MAX_FRAMES: Final = 32
"""So many leave at once, at most."""
CLOSE_SECONDS: Final = 5.0
"""For the peer to answer our close frame; after that the connection is closed without."""


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


class PatientSocket(HandshakeProtocol):
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
