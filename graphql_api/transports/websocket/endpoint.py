"""GraphQL over WebSocket: the handshake."""

from collections.abc import Sequence
from typing import Generic

from starlette.types import Receive, Scope, Send

from asgi.client import Network
from asgi.close_codes import CloseCode
from asgi.origins import AllowsOrigin
from asgi.websocket_handshake import STREAM_ORIGIN_NOT_ALLOWED, HandshakeRequest, reject_handshake
from graphql_api.execution.executor import ContextT
from graphql_api.transports.websocket.config import WebSocketConfig
from graphql_api.transports.websocket.connection import WebSocketConnection
from graphql_api.transports.websocket.protocol import SUBPROTOCOL


class GraphQLSocket(Generic[ContextT]):
    """The ASGI application for `/graphql` and `websocket` scopes."""

    def __init__(
        self,
        config: WebSocketConfig[ContextT],
        allows_origin: AllowsOrigin,
        *,
        trusted_proxies: Sequence[Network] = (),
    ) -> None:
        self._config = config
        self._allows_origin = allows_origin
        self._trusted = trusted_proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one WebSocket. A request from an origin that is not allowed gets the status 403."""
        await receive()
        handshake = HandshakeRequest.of(scope, self._trusted)
        if not handshake.is_allowed(self._allows_origin):
            await reject_handshake(scope, send, 403, STREAM_ORIGIN_NOT_ALLOWED)
            return
        offered: list[str] = list(scope.get("subprotocols", ()))
        connection = WebSocketConnection(self._config, handshake, _chosen(offered), receive, send)
        if SUBPROTOCOL not in offered:
            connection.session.end(CloseCode.BAD_SUBPROTOCOL, f"Subprotocol not acceptable: offer {SUBPROTOCOL}")
        await connection.run()


def _chosen(offered: list[str]) -> str | None:
    # If the server selects none of the offered subprotocols, a browser fails the handshake without a close code.
    # So the server selects a wrong subprotocol, and then closes the WebSocket with a code that says what is wrong.
    if SUBPROTOCOL in offered:
        return SUBPROTOCOL
    return offered[0] if offered else None
