"""GraphQL over WebSocket: the handshake, before a conversation begins."""

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
    """The ASGI application behind `/graphql` for `websocket` scopes.

    Who asks is settled once per socket, by `connection_init`; a context is made for every operation. *cursor_of* says
    where an operation's stream stands, so that pings can tell it; None when it has no such place.
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
        self._setup = WebSocketConfig(
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
        """Serve one socket; a page of a foreign origin is refused with 403 before there is one."""
        await receive()
        upgrade = HandshakeRequest.of(scope, self._trusted)
        if not upgrade.is_allowed(self._allows_origin):
            await reject_handshake(scope, send, 403, STREAM_ORIGIN_NOT_ALLOWED)
            return
        offered: list[str] = list(scope.get("subprotocols", ()))
        conversation = WebSocketConnection(self._setup, upgrade, _chosen(offered), receive, send)
        if SUBPROTOCOL not in offered:
            conversation.end(CloseCode.BAD_SUBPROTOCOL, f"Subprotocol not acceptable: offer {SUBPROTOCOL}")
        await conversation.run()


def _chosen(offered: list[str]) -> str | None:
    # A browser drops a handshake that takes none of its subprotocols, and never shows the page the close code.
    # So a wrong one is taken, only to be closed with the code that says it is wrong.
    if SUBPROTOCOL in offered:
        return SUBPROTOCOL
    return offered[0] if offered else None
