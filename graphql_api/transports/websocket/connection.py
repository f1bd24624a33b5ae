"""One GraphQL WebSocket: performs the effects of graphql-transport-ws."""

import asyncio
from collections.abc import Mapping
from typing import Any, Generic

from starlette.types import Receive, Send

from asgi.close_codes import CloseCode
from asgi.websocket_handshake import HandshakeRequest
from asgi.websocket_session import WebSocketSession
from graphql_api.execution.executor import ContextT
from graphql_api.transports.websocket.config import WebSocketConfig
from graphql_api.transports.websocket.credentials import BadCredentials, authorization
from graphql_api.transports.websocket.operations import Operations
from graphql_api.transports.websocket.protocol import Authenticate, Protocol, Start, Stop
from observability.request_records import record_user


class WebSocketConnection(WebSocketSession, Generic[ContextT]):
    """Serves one WebSocket. `connection_init` authenticates it for all its operations."""

    def __init__(
        self,
        config: WebSocketConfig[ContextT],
        handshake: HandshakeRequest,
        subprotocol: str | None,
        receive: Receive,
        send: Send,
    ) -> None:
        super().__init__(config.session, handshake, receive, send, subprotocol=subprotocol)
        self._config = config
        self._protocol: Protocol = Protocol(max_message=config.max_message, max_operations=config.max_operations)
        self._operations = Operations(
            self._protocol,
            config.executor,
            config.requests,
            self._make_context,
            self.perform,
            self.session,
            dict(handshake.headers),
        )

    def release(self) -> None:
        """Refer to nothing that refers back to this object."""
        super().release()
        del self._operations

    async def perform_other(self, effect: object) -> None:
        """Start or stop an operation, or authenticate the client."""
        match effect:
            case Start(key, request):
                await self.perform(await self._operations.start(key, request))
                # If many messages are queued, `receive` returns without yielding to other tasks.
                await asyncio.sleep(0)
            case Stop(key):
                self._operations.stop(key)
            case Authenticate(payload):
                await self._authenticate(payload)

    async def ping(self) -> None:
        """Send a ping with the cursors. If the client did not answer the last one, close the WebSocket."""
        await self.perform(self._protocol.tick(self._cursors()))

    async def _authenticate(self, payload: Mapping[str, Any]) -> None:
        try:
            credentials = authorization(payload, self.handshake.authorization)
        except BadCredentials as error:
            self.session.end(CloseCode.BAD_MESSAGE, str(error))
            return
        await self.session.authenticate(credentials)
        await self.perform(self._protocol.authenticated())

    def _make_context(self, request_id: str) -> ContextT:
        identity = self.session.identity
        if identity is not None:
            record_user(identity.actor.user_id)
        return self._config.make_context(self.handshake.request_context(identity, request_id, self.session.wait_ended))

    def _cursors(self) -> dict[str, Any] | None:
        contexts = self._operations.contexts()
        known = {name: self._config.cursor_of(context) for name, context in contexts.items()}
        cursors = {name: cursor for name, cursor in known.items() if cursor is not None}
        return {"cursors": cursors} if cursors else None
