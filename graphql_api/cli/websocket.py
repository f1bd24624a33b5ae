"""WebSockets as uvicorn speaks them, with an end to its patience."""

from typing import Any, Final

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from graphql_api.wire.writer import ABORT

CLOSE_SECONDS: Final = 5.0
"""For the peer to answer our close frame; after that the connection is closed without."""


class PatientSocket(WebSocketsSansIOProtocol):
    """Lets the application let go of a peer that reads nothing: a close waits until everything was read."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.close_timeout = CLOSE_SECONDS

    def handle_connect(self, event: Request) -> None:
        """A client wants a socket."""
        super().handle_connect(event)
        if self.response.status_code == 101:
            extensions: dict[str, Any] = self.scope["extensions"]
            extensions[ABORT] = self.transport.abort
