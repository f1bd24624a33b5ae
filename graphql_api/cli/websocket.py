"""WebSockets as uvicorn speaks them, with an end to its patience."""

import struct
from typing import TYPE_CHECKING, Any, Final

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request
from websockets.protocol import State

from graphql_api.wire.writer import ABORT

if TYPE_CHECKING:
    from uvicorn._types import ASGISendEvent

_WHOLE_TEXT: Final = 0x81
"""The first byte of a frame that is a whole message of text."""
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


class PatientSocket(WebSocketsSansIOProtocol):
    """Lets the application let go of a peer that reads nothing: a close waits until everything was read."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.close_timeout = CLOSE_SECONDS

    async def send(self, message: "ASGISendEvent") -> None:
        """Send what the application says; a frame of text, which is what thousands are sent at once, directly."""
        text = message.get("text") if message["type"] == "websocket.send" else None
        if text is None or not self.writable.is_set() or self.conn.state is not State.OPEN or not self._may_frame:
            await super().send(message)
        else:
            self.transport.write(text_frame(text.encode()))

    @property
    def _may_frame(self) -> bool:
        return self.handshake_complete and not (self.disconnected or self.close_sent or self.transport.is_closing())

    def handle_connect(self, event: Request) -> None:
        """A client wants a socket."""
        super().handle_connect(event)
        if self.response.status_code == 101:
            extensions: dict[str, Any] = self.scope["extensions"]
            extensions[ABORT] = self.transport.abort
