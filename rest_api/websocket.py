"""`/ws/tasks/{client_id}`: the handshake and the lifetime of a WebSocket."""

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from starlette.types import Receive, Scope, Send

from asgi.client import Network, throttle_key
from asgi.close_codes import CloseCode, CloseReason, close_reason_for, reason
from asgi.errors import InvalidToken
from asgi.origins import AllowsOrigin
from asgi.request_id import new_request_id
from asgi.socket_writer import PeerDisconnected, SocketWriter
from asgi.timeouts import TimeoutQueue
from asgi.websocket_handshake import (
    STREAM_ORIGIN_NOT_ALLOWED,
    Authenticate,
    HandshakeRequest,
    reject_handshake,
    sign_in,
)
from domain.errors import BadRequest
from observability.request_records import SUBSCRIPTION, RequestRecords, log_bug, record_error, record_operation
from rest_api import websocket_frames
from rest_api import websocket_protocol as protocol
from rest_api.backend import RestBackend
from rest_api.websocket_protocol import Close, Effects, WebSocketProtocol
from streaming.connections import ClientConnection, ConnectionRefused, Connections
from streaming.stream_items import Item, Resync
from streaming.subscription import Subscriber
from streaming.visibility import Visibility


@dataclass(frozen=True, slots=True)
class Timing:
    """Time limits in seconds: for the sign-in, between two cursors when idle, and for sending one frame."""

    auth: float = 5.0
    idle: float = 20.0
    send: float = 10.0


@dataclass(frozen=True, slots=True)
class SocketConfig:
    """What all WebSockets of the endpoint share."""

    backend: RestBackend
    authenticate: Authenticate
    connections: Connections
    timing: Timing
    sending: TimeoutQueue
    requests: RequestRecords


class TaskSocket:
    """The ASGI application at the path."""

    def __init__(
        self,
        backend: RestBackend,
        authenticate: Authenticate,
        connections: Connections,
        allows_origin: AllowsOrigin,
        *,
        trusted_proxies: Sequence[Network] = (),
        timing: Timing | None = None,
        requests: RequestRecords | None = None,
    ) -> None:
        timing = timing or Timing()
        sending = TimeoutQueue(timing.send)
        self._config = SocketConfig(backend, authenticate, connections, timing, sending, requests or RequestRecords())
        self._allows_origin = allows_origin
        self._trusted = trusted_proxies

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
        await _SocketSession(self._config, handshake, _after(scope), receive, send).run()


class _SocketSession:
    """One WebSocket. It receives, sends and runs timers in separate asyncio tasks, until `end` is called."""

    def __init__(
        self, config: SocketConfig, handshake: HandshakeRequest, after: str | None, receive: Receive, send: Send
    ) -> None:
        self._config = config
        self._handshake = handshake
        self._after = after
        self._receive = receive
        self._send = send
        self._writer = SocketWriter(send, config.sending, abort=handshake.abort)
        self._protocol = WebSocketProtocol()
        self._subscriber: Subscriber | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._ended = asyncio.Event()
        self._close_frame: Close | None = None

    async def run(self) -> None:
        """Run until one side closes the WebSocket."""
        self._record = self._config.requests.begin("rest-ws", new_request_id())
        try:
            with self._record:
                record_operation("tasks", SUBSCRIPTION, known=True)
                await self._run_and_close()
        finally:
            self._record.end()

    async def _run_and_close(self) -> None:
        try:
            with self._config.connections.open(throttle_key(self._handshake.client.address), self.end) as connection:
                await self._accept()
                await self._run_tasks(connection)
        except ConnectionRefused as full:
            self.end(full.code, full.reason)
            await self._accept()
        if self._close_frame is not None:
            record_error(self._close_frame.code.name)
            with suppress(PeerDisconnected):
                await self._writer.close(self._close_frame.code, self._close_frame.reason)

    def end(self, code: int, why: str) -> None:
        """Close the socket soon; only the first call counts. May be called from outside, and never blocks."""
        self._protocol.close(CloseCode(code), why)
        self._stop(Close(CloseCode(code), reason(why)))

    def _stop(self, close_frame: Close | None) -> None:
        if not self._ended.is_set():
            self._close_frame = close_frame
            self._ended.set()

    async def _accept(self) -> None:
        # A browser does not show a page why a handshake failed. So the WebSocket is accepted, and closed with a code.
        await self._send({"type": "websocket.accept"})

    async def _run_tasks(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._start(self._receive_messages())
        self._start(self._run_timers())
        try:
            await self._ended.wait()
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(self._guarded(work)))

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except PeerDisconnected:
            self._stop(None)
        except Exception as error:
            self.end(*(close_reason_for(error) or _bug(error)))

    async def _receive_messages(self) -> None:
        await self._perform(self._protocol.opened(self._handshake.authorization))
        while (message := await self._receive())["type"] != "websocket.disconnect":
            text = message.get("text")
            await self._perform(self._protocol.receive_binary() if text is None else self._protocol.receive_text(text))
        self._stop(None)

    async def _run_timers(self) -> None:
        await asyncio.sleep(self._config.timing.auth)
        await self._perform(self._protocol.late())
        while True:
            await asyncio.sleep(self._config.timing.idle)
            await self._perform(self._protocol.tick(self._subscriber.cursor if self._subscriber else None))

    async def _expire(self, instant: datetime) -> None:
        await asyncio.sleep((instant - datetime.now(UTC)).total_seconds())
        self.end(CloseCode.FORBIDDEN, "Token has expired")

    async def _perform(self, effects: Effects) -> None:
        for effect in effects:
            match effect:
                case protocol.Send(text):
                    await self._writer.text(text)
                case protocol.SignIn(authorization):
                    await self._sign_in(authorization)
                case protocol.Listen():
                    self._start(self._listen())
                case protocol.Close():
                    self._stop(effect)

    async def _sign_in(self, authorization: str) -> None:
        identity = await sign_in(self._connection, self._config.authenticate, authorization)
        if identity is None:
            raise InvalidToken
        self._actor = identity.actor
        self._start(self._expire(identity.expires_at))
        await self._perform(self._protocol.signed_in())

    async def _listen(self) -> None:
        try:
            subscriber = self._config.backend.stream.subscribe(self._actor, None, self._after, only_status=True)
        except BadRequest as refusal:
            await self._perform(self._protocol.refuse(refusal.code, refusal.message))
            return
        async with subscriber:
            self._subscriber = subscriber
            await self._perform(self._protocol.listening(subscriber.cursor))
            with suppress(StopAsyncIteration):  # closed while a task was loaded again
                async for item in subscriber:
                    await self._perform(self._protocol.item(await self._frame(subscriber, item)))
                    self._record.frames += 1
        self.end(CloseCode.RESTARTING, "Service restart")

    async def _frame(self, subscriber: Subscriber, item: Item) -> str:
        if isinstance(item, Resync):
            return websocket_frames.resync(item)
        stream = self._config.backend.stream
        if item.visibility is not Visibility.VISIBLE:
            return websocket_frames.task_event(item, stream.task_cache.empty)
        while True:
            reading = await stream.task_cache.visible_to(self._actor, item.event.task_id, subscriber.upcoming_tasks)
            # The process may have been suspended in the meantime. The permission must be valid at the time of sending.
            if subscriber.trusted and stream.lease.covers(reading.at):
                return websocket_frames.task_event(item, reading)
            await subscriber.trust()


def _bug(error: Exception) -> CloseReason:
    log_bug("the socket", error, request_id=new_request_id())
    return CloseReason(CloseCode.TRY_LATER, "Something went wrong on our side")


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _after(scope: Scope) -> str | None:
    # Nothing else of the query string is used: a token in it would appear in logs of proxies.
    return dict(parse_qsl(scope["query_string"].decode("latin-1"))).get("after")
