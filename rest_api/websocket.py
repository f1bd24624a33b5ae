"""`/ws/tasks/{client_id}`: the handshake, and the session of one WebSocket."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Final
from urllib.parse import parse_qsl
from uuid import UUID

from starlette.types import Receive, Scope, Send

from asgi.client import Network
from asgi.close_codes import CloseCode, CloseReason
from asgi.errors import InvalidToken
from asgi.origins import AllowsOrigin
from asgi.request_id import new_request_id
from asgi.streaming_session import SessionConfig, StreamTiming
from asgi.websocket_handshake import STREAM_ORIGIN_NOT_ALLOWED, HandshakeRequest, reject_handshake
from asgi.websocket_session import WebSocketSession
from domain.access_token import MissingScope
from domain.errors import BadRequest
from graphql_api.auth.access_rules import TASKS_READ
from observability.request_records import SUBSCRIPTION, RequestRecord, RequestRecords, record_error, record_operation
from rest_api import websocket_frames
from rest_api.backend import RestBackend
from rest_api.websocket_protocol import Listen, SignIn, WebSocketProtocol
from streaming.stream_items import Item, Resync
from streaming.subscription import Subscriber
from streaming.visibility import StreamFilter, Visibility

_LISTED: Final = StreamFilter(only_listed=True)
TASK_TIMING: Final = StreamTiming(first_message=5.0, ping=20.0)


class TaskSocket:
    """The ASGI application at the path."""

    def __init__(
        self,
        backend: RestBackend,
        config: SessionConfig,
        allows_origin: AllowsOrigin,
        *,
        trusted_proxies: Sequence[Network] = (),
        requests: RequestRecords | None = None,
    ) -> None:
        self._backend = backend
        self._config = config
        self._allows_origin = allows_origin
        self._trusted = trusted_proxies
        self._requests = requests or RequestRecords()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one WebSocket. A page of a foreign origin, or a `client_id` that is not a UUID, gets 403."""
        await receive()
        handshake = HandshakeRequest.of(scope, self._trusted)
        if not handshake.is_allowed(self._allows_origin):
            await reject_handshake(scope, send, 403, STREAM_ORIGIN_NOT_ALLOWED)
            return
        if not _is_uuid(scope["path_params"]["client_id"]):
            await reject_handshake(
                scope, send, 403, "The last part of the path must be a UUID for the client; any UUID will do."
            )
            return
        await self._serve(handshake, _after(scope), receive, send)

    async def _serve(self, handshake: HandshakeRequest, after: str | None, receive: Receive, send: Send) -> None:
        record = self._requests.begin("rest-ws", new_request_id())
        try:
            with record:
                record_operation("tasks", SUBSCRIPTION, known=True)
                await _TaskSocketSession(self._backend, self._config, handshake, after, record, receive, send).run()
        finally:
            record.end()


class _TaskSocketSession(WebSocketSession):
    """One WebSocket, which sends the events of the tasks that its user may see."""

    def __init__(
        self,
        backend: RestBackend,
        config: SessionConfig,
        handshake: HandshakeRequest,
        after: str | None,
        record: RequestRecord,
        receive: Receive,
        send: Send,
    ) -> None:
        super().__init__(config, handshake, receive, send)
        self._protocol: WebSocketProtocol = WebSocketProtocol()
        self._stream = backend.stream
        self._after = after
        self._record = record
        self._subscriber: Subscriber | None = None

    async def accept(self) -> None:
        """Accept the handshake. If it has an `Authorization` header, sign in with it."""
        await super().accept()
        self.perform_soon(self._protocol.opened(self.handshake.authorization))

    async def perform_other(self, effect: object) -> None:
        """Sign in, or subscribe to the stream."""
        match effect:
            case SignIn(authorization):
                await self._sign_in(authorization)
            case Listen():
                self.session.start(self._listen())

    async def ping(self) -> None:
        """Send the cursor if nothing else was sent since the last ping."""
        await self.perform(self._protocol.tick(self._subscriber.cursor if self._subscriber else None))

    async def close(self, reason: CloseReason | None) -> None:
        """Send the close frame."""
        if reason is not None:
            record_error(reason.code.name)
        await super().close(reason)

    async def _sign_in(self, authorization: str) -> None:
        identity = await self.session.authenticate(authorization)
        if identity is None:
            raise InvalidToken
        try:
            TASKS_READ.check_scopes(identity.actor)
        except MissingScope as missing:
            await self.perform(self._protocol.forbid(missing.code, missing.message))
            return
        self._actor = identity.actor
        await self.perform(self._protocol.signed_in())

    async def _listen(self) -> None:
        try:
            subscriber = self._stream.subscribe(self._actor, _LISTED, self._after, only_status=True)
        except BadRequest as refusal:
            await self.perform(self._protocol.refuse(refusal.code, refusal.message))
            return
        async with subscriber:
            self._subscriber = subscriber
            await self.perform(self._protocol.listening(subscriber.cursor))
            with suppress(StopAsyncIteration):  # closed while a task was loaded again
                async for item in subscriber:
                    await self.perform(self._protocol.item(await self._frame(subscriber, item)))
                    self._record.frames += 1
        self.session.end(CloseCode.RESTARTING, "Service restart")

    async def _frame(self, subscriber: Subscriber, item: Item) -> str:
        if isinstance(item, Resync):
            return websocket_frames.resync(item)
        if item.visibility is not Visibility.VISIBLE:
            return websocket_frames.task_event(item, self._stream.task_cache.empty)
        while True:
            reading = await self._stream.task_cache.visible_to(
                self._actor, item.task_event.task_id, subscriber.upcoming_tasks
            )
            # The process may have been suspended in the meantime. The permission must be valid at the time of sending.
            if subscriber.trusted and self._stream.lease.covers(reading.at):
                return websocket_frames.task_event(item, reading)
            await subscriber.trust()


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _after(scope: Scope) -> str | None:
    # Nothing else of the query string is used: a token in it would appear in logs of proxies.
    return dict(parse_qsl(scope["query_string"].decode("latin-1"))).get("after")
