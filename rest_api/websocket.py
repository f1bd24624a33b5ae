"""`/ws/tasks/{client_id}`: the handshake, and one socket from its acceptance to its end."""

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
from observability.request_records import SUBSCRIPTION, RequestRecords, log_bug, refused, runs
from rest_api import websocket_frames
from rest_api import websocket_protocol as said
from rest_api.backend import Backend
from rest_api.websocket_protocol import Close, Effects, WebSocketProtocol
from streaming.connections import Connection, ConnectionRefused, Connections
from streaming.stream_items import Item, Resync
from streaming.subscription import Subscriber
from streaming.visibility import Visibility


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds: until somebody must have signed in, between two cursors when idle, and for one frame to leave."""

    auth: float = 5.0
    idle: float = 20.0
    send: float = 10.0


@dataclass(frozen=True, slots=True)
class Setup:
    """What every socket of the endpoint shares."""

    backend: Backend
    authenticate: Authenticate
    connections: Connections
    timing: Timing
    sending: TimeoutQueue
    requests: RequestRecords


class TaskSocket:
    """The ASGI application behind the path."""

    def __init__(
        self,
        backend: Backend,
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
        self._setup = Setup(backend, authenticate, connections, timing, sending, requests or RequestRecords())
        self._allows_origin = allows_origin
        self._trusted = trusted_proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket; for a foreign page, or a `client_id` that is no uuid, there is none, but a 403."""
        await receive()
        upgrade = HandshakeRequest.of(scope, self._trusted)
        if not upgrade.is_allowed(self._allows_origin):
            await reject_handshake(scope, send, 403, STREAM_ORIGIN_NOT_ALLOWED)
            return
        if not _is_uuid(scope["path_params"]["client_id"]):
            await reject_handshake(scope, send, 403, "The last part of the path names the client: take any UUID.")
            return
        await _Conversation(self._setup, upgrade, _after(scope), receive, send).run()


class _Conversation:
    """Hears, tells and keeps time, each in a task of its own, until something calls `end`."""

    def __init__(
        self, setup: Setup, upgrade: HandshakeRequest, after: str | None, receive: Receive, send: Send
    ) -> None:
        self._setup = setup
        self._upgrade = upgrade
        self._after = after
        self._receive = receive
        self._send = send
        self._writer = SocketWriter(send, setup.sending, abort=upgrade.abort)
        self._dialogue = WebSocketProtocol()
        self._subscriber: Subscriber | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._over = asyncio.Event()
        self._farewell: Close | None = None

    async def run(self) -> None:
        """Converse until either side has had enough."""
        self._asked = self._setup.requests.begin("rest-ws", new_request_id())
        try:
            with self._asked:
                runs("tasks", SUBSCRIPTION, known=True)
                await self._converse_and_part()
        finally:
            self._asked.end()

    async def _converse_and_part(self) -> None:
        try:
            with self._setup.connections.open(throttle_key(self._upgrade.client.address), self.end) as connection:
                await self._accept()
                await self._converse(connection)
        except ConnectionRefused as full:
            self.end(full.code, full.reason)
            await self._accept()
        if self._farewell is not None:
            refused(self._farewell.code.name)
            with suppress(PeerDisconnected):
                await self._writer.close(self._farewell.code, self._farewell.reason)

    def end(self, code: int, why: str) -> None:
        """Close the socket soon; only the first call counts. May be called from outside, and never blocks."""
        self._dialogue.close(CloseCode(code), why)
        self._stop(Close(CloseCode(code), reason(why)))

    def _stop(self, farewell: Close | None) -> None:
        if not self._over.is_set():
            self._farewell = farewell
            self._over.set()

    async def _accept(self) -> None:
        # A browser never shows a page why a handshake failed: a socket is accepted, and closed with a code that says.
        await self._send({"type": "websocket.accept"})

    async def _converse(self, connection: Connection) -> None:
        self._connection = connection
        self._begin(self._hear())
        self._begin(self._keep_time())
        try:
            await self._over.wait()
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(self._guarded(work)))

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except PeerDisconnected:
            self._stop(None)
        except Exception as error:
            self.end(*(close_reason_for(error) or _bug(error)))

    async def _hear(self) -> None:
        await self._perform(self._dialogue.opened(self._upgrade.authorization))
        while (message := await self._receive())["type"] != "websocket.disconnect":
            text = message.get("text")
            await self._perform(self._dialogue.receive_binary() if text is None else self._dialogue.receive_text(text))
        self._stop(None)

    async def _keep_time(self) -> None:
        await asyncio.sleep(self._setup.timing.auth)
        await self._perform(self._dialogue.late())
        while True:
            await asyncio.sleep(self._setup.timing.idle)
            await self._perform(self._dialogue.tick(self._subscriber.cursor if self._subscriber else None))

    async def _expire(self, instant: datetime) -> None:
        await asyncio.sleep((instant - datetime.now(UTC)).total_seconds())
        self.end(CloseCode.FORBIDDEN, "Token has expired")

    async def _perform(self, effects: Effects) -> None:
        for effect in effects:
            match effect:
                case said.Send(text):
                    await self._writer.text(text)
                case said.SignIn(authorization):
                    await self._sign_in(authorization)
                case said.Listen():
                    self._begin(self._listen())
                case said.Close():
                    self._stop(effect)

    async def _sign_in(self, authorization: str) -> None:
        identity = await sign_in(self._connection, self._setup.authenticate, authorization)
        if identity is None:
            raise InvalidToken
        self._actor = identity.actor
        self._begin(self._expire(identity.expires_at))
        await self._perform(self._dialogue.signed_in())

    async def _listen(self) -> None:
        try:
            subscriber = self._setup.backend.stream.subscribe(self._actor, None, self._after, only_status=True)
        except BadRequest as refusal:
            await self._perform(self._dialogue.refuse(refusal.code, refusal.message))
            return
        async with subscriber:
            self._subscriber = subscriber
            await self._perform(self._dialogue.listening(subscriber.cursor))
            with suppress(StopAsyncIteration):  # closed while a task was read anew
                async for item in subscriber:
                    await self._perform(self._dialogue.item(await self._frame(subscriber, item)))
                    self._asked.frames += 1
        self.end(CloseCode.RESTARTING, "Service restart")

    async def _frame(self, subscriber: Subscriber, item: Item) -> str:
        if isinstance(item, Resync):
            return websocket_frames.resync(item)
        stream = self._setup.backend.stream
        if item.visibility is not Visibility.VISIBLE:
            return websocket_frames.told(item, stream.task_cache.empty)
        while True:
            reading = await stream.task_cache.visible_to(self._actor, item.event.task_id, subscriber.upcoming_tasks)
            # Meanwhile the process may have stood still: the right to it must be known when it is told.
            if subscriber.trusted and stream.lease.covers(reading.at):
                return websocket_frames.told(item, reading)
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
    # Of the query string nothing else is looked at: a token in it would end up in logs.
    return dict(parse_qsl(scope["query_string"].decode("latin-1"))).get("after")
