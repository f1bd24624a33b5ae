"""GraphQL over WebSocket: the handshake."""

from collections.abc import Callable, Sequence
from typing import Generic

from starlette.types import Receive, Scope, Send

from asgi.client import Network
from asgi.close_codes import CloseCode
from asgi.origins import AllowsOrigin
from asgi.request_context import RequestContext
from asgi.timeouts import TimeoutQueue
from asgi.websocket_handshake import STREAM_ORIGIN_NOT_ALLOWED, Authenticate, HandshakeRequest, reject_handshake
from graphql_api.execution.executor import ContextT, Executor
from graphql_api.transports.websocket.config import WebSocketConfig, WebSocketTiming
from graphql_api.transports.websocket.connection import WebSocketConnection
from graphql_api.transports.websocket.protocol import MAX_MESSAGE, MAX_OPERATIONS, SUBPROTOCOL
from observability.request_records import RequestRecords
from streaming.connections import Connections


class GraphQLSocket(Generic[ContextT]):
    """The ASGI application for `/graphql` and `websocket` scopes.

    `connection_init` authenticates the whole connection. Every operation gets its own context. *cursor_of* returns the
    current position of the stream of an operation, or None; pings contain these positions.
    """

    def __init__(
        self,
        executor: Executor[ContextT],
        authenticate: Authenticate,
        make_context: Callable[[RequestContext], ContextT],
        connections: Connections,
        allows_origin: AllowsOrigin,
        *,
        cursor_of: Callable[[ContextT], str | None] | None = None,
        trusted_proxies: Sequence[Network] = (),
        timing: WebSocketTiming | None = None,
        max_message: int = MAX_MESSAGE,
        max_operations: int = MAX_OPERATIONS,
        requests: RequestRecords | None = None,
    ) -> None:
        self._allows_origin = allows_origin
        self._trusted = trusted_proxies
        timing = timing or WebSocketTiming()
        self._config = WebSocketConfig(
            executor=executor,
            authenticate=authenticate,
            make_context=make_context,
            connections=connections,
            cursor_of=cursor_of,
            timing=timing,
            sending=TimeoutQueue(timing.send),
            max_message=max_message,
            max_operations=max_operations,
            requests=requests or RequestRecords(),
        )

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
            connection.end(CloseCode.BAD_SUBPROTOCOL, f"Subprotocol not acceptable: offer {SUBPROTOCOL}")
        await connection.run()


def _chosen(offered: list[str]) -> str | None:
    # If the server selects none of the offered subprotocols, a browser fails the handshake without a close code.
    # So the server selects a wrong subprotocol, and then closes the WebSocket with a code that says what is wrong.
    if SUBPROTOCOL in offered:
        return SUBPROTOCOL
    return offered[0] if offered else None
