"""One WebSocket connection: receives messages, runs the timers, and performs the effects of the protocol."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, Generic

from starlette.types import Message, Receive, Send

from asgi.client import Identity, throttle_key
from asgi.close_codes import CloseCode, CloseReason, reason
from asgi.request_id import new_request_id
from asgi.socket_writer import PeerDisconnected, SocketWriter
from asgi.websocket_handshake import HandshakeRequest, sign_in
from domain.errors import Unauthenticated
from graphql_api.errors import describe
from graphql_api.execution.executor import ContextT
from graphql_api.transports.websocket import protocol
from graphql_api.transports.websocket.config import WebSocketConfig
from graphql_api.transports.websocket.credentials import authorization, close_reason_for
from graphql_api.transports.websocket.operations import Operations
from graphql_api.transports.websocket.protocol import Close, Effects, Protocol
from observability.request_records import record_user
from streaming.connections import ClientConnection, ConnectionRefused

_LONGEST_TIMER: Final = 30 * 24 * 3600.0


class WebSocketConnection(Generic[ContextT]):
    """Serves one WebSocket, in the task of the server for it. An idle connection has no other tasks."""

    def __init__(
        self,
        config: WebSocketConfig[ContextT],
        handshake: HandshakeRequest,
        subprotocol: str | None,
        receive: Receive,
        send: Send,
    ) -> None:
        self._config = config
        self._handshake = handshake
        self._subprotocol = subprotocol
        self._receive = receive
        self._send = send
        self._writer = SocketWriter(send, config.sending, abort=handshake.abort, put=handshake.put)
        self._protocol = Protocol(max_message=config.max_message, max_operations=config.max_operations)
        self._ending = asyncio.Event()
        self._operations = Operations(
            self._protocol,
            config.executor,
            config.requests,
            self._make_context,
            self._perform,
            self._put,
            self._verify_session,
        )
        self._authorization: str | None = None
        self._identity: Identity | None = None
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._background_tasks: set[asyncio.Task[None]] = set()
        self._main_task: asyncio.Task[Any] | None = None
        self._is_over = False
        self._close_frame: Close | None = None

    async def run(self) -> None:
        """Accept the WebSocket and serve it until one side closes it. If there are too many connections, close it.

        The method waits for running mutations before it returns.
        """
        self._main_task = asyncio.current_task()
        try:
            with self._config.connections.open(throttle_key(self._handshake.client.address), self.end) as connection:
                await self._serve(connection)
                await self._close()
        except ConnectionRefused as refused:
            self.end(refused.code, refused.reason)
            await self._accept()
            await self._close()
        finally:
            self._stop_operations()
            await self._operations.wait()

    def end(self, code: int, why: str) -> None:
        """Close the WebSocket soon, without blocking. Only the first call counts. Any task may call it."""
        self._protocol.close(CloseCode(code), why)
        self._stop(Close(CloseCode(code), reason(why)))

    def _stop(self, close_frame: Close | None) -> None:
        if self._is_over:
            return
        self._is_over = True
        self._close_frame = close_frame
        # If another task calls this, the main task may be waiting in `receive`: cancel the wait.
        if self._main_task is not None and asyncio.current_task() is not self._main_task:
            self._main_task.cancel()

    async def _accept(self) -> None:
        # A browser does not show a page why a handshake failed. So accept it, then close with a code and a reason.
        await self._send({"type": "websocket.accept", "subprotocol": self._subprotocol})

    async def _serve(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._start_timers()
        try:
            await self._accept()
            while not self._is_over:
                await self._handle(await self._receive())
        except PeerDisconnected:
            self._stop(None)
        except asyncio.CancelledError:
            if not self._is_over or (self._main_task is not None and self._main_task.uncancel() > 0):
                raise  # The server cancelled the task, not `_stop`.
        finally:
            self._stop_timers()

    async def _handle(self, message: Message) -> None:
        if message["type"] == "websocket.disconnect":
            self._protocol.close(CloseCode.TRY_LATER, "")
            self._stop(None)
            return
        text = message.get("text")
        await self._perform(self._protocol.receive_binary() if text is None else self._protocol.receive_text(text))

    async def _close(self) -> None:
        # Stop the operations first: one that waits for a slow client would block the writer.
        self._stop_operations()
        if self._close_frame is None:
            return
        try:
            await self._writer.close(self._close_frame.code, self._close_frame.reason)
        except PeerDisconnected:
            return

    def _stop_operations(self) -> None:
        self._operations.stop_all()
        self._ending.set()

    def _put(self, text: str) -> bool:
        return not self._is_over and self._writer.put(text)

    async def _perform(self, effects: Effects) -> None:
        try:
            for effect in effects:
                if type(effect) is protocol.Send:  # the most frequent effect
                    await self._writer.text(effect.text)
                else:
                    await self._perform_one(effect)
        except PeerDisconnected:
            self._protocol.close(CloseCode.TRY_LATER, "")
            self._stop(None)
            raise

    async def _perform_one(self, effect: protocol.Effect) -> None:
        match effect:
            case protocol.Start(key, request):
                await self._perform(self._operations.start(key, request))
                await asyncio.sleep(
                    0
                )  # If many messages are queued, `receive` returns without yielding to other tasks.
            case protocol.Stop(key):
                self._operations.stop(key)
            case protocol.Authenticate(payload):
                await self._authenticate(payload)
            case protocol.Close():
                self._stop(effect)

    async def _authenticate(self, payload: Mapping[str, Any]) -> None:
        try:
            self._authorization = authorization(payload, self._handshake.authorization)
            self._identity = await sign_in(self._connection, self._config.authenticate, self._authorization)
        except Exception as error:
            self.end(*(close_reason_for(error) or _bug(error)))
            return
        if self._identity is not None:
            self._expire_at(self._identity.expires_at)
        await self._perform(self._protocol.authenticated())

    async def _verify_session(self) -> bool:
        """Authenticate again, as for an HTTP request. If the session is no longer valid, close the WebSocket.

        A revocation closes the connections of its user. But while this process cannot read the event log, it does not
        learn of revocations.

        Raises:
            Unavailable: the database does not respond.
        """
        if self._identity is None:
            return True
        try:
            identity = await self._config.authenticate(self._authorization)
        except Unauthenticated as error:
            self.end(*(close_reason_for(error) or _bug(error)))
            return False
        if identity is None or identity.actor != self._identity.actor:
            self.end(CloseCode.FORBIDDEN, "Forbidden: access changed")
            return False
        return True

    def _make_context(self, request_id: str) -> ContextT:
        if self._identity is not None:
            record_user(self._identity.actor.user_id)
        return self._config.make_context(self._handshake.request_context(self._identity, request_id, self._ending.wait))

    def _start_timers(self) -> None:
        loop = asyncio.get_running_loop()
        self._timers["init"] = loop.call_later(self._config.timing.init, self._init_timed_out)
        self._timers["ping"] = loop.call_later(self._config.timing.ping, self._tick)

    def _stop_timers(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        for task in self._background_tasks:
            task.cancel()

    def _init_timed_out(self) -> None:
        self._perform_soon(self._protocol.init_timed_out())

    def _tick(self) -> None:
        self._timers["ping"] = asyncio.get_running_loop().call_later(self._config.timing.ping, self._tick)
        self._perform_soon(self._protocol.tick(self._cursors()))

    def _cursors(self) -> dict[str, Any] | None:
        if self._config.cursor_of is None:
            return None
        contexts = self._operations.contexts()
        known = {name: self._config.cursor_of(context) for name, context in contexts.items()}
        cursors = {name: cursor for name, cursor in known.items() if cursor is not None}
        return {"cursors": cursors} if cursors else None

    def _expire_at(self, instant: datetime) -> None:
        seconds = min(max(0.0, (instant - datetime.now(UTC)).total_seconds()), _LONGEST_TIMER)
        self._timers["expiry"] = asyncio.get_running_loop().call_later(
            seconds, self.end, CloseCode.FORBIDDEN, "Token has expired"
        )

    def _perform_soon(self, effects: Effects) -> None:
        task = asyncio.create_task(self._perform_in_background(effects))
        self._background_tasks.add(task)
        task.add_done_callback(self._background_tasks.discard)

    async def _perform_in_background(self, effects: Effects) -> None:
        try:
            await self._perform(effects)
        except PeerDisconnected:
            return


def _bug(error: Exception) -> CloseReason:
    describe(error, request_id=new_request_id())  # This logs the error.
    return CloseReason(CloseCode.TRY_LATER, "Something went wrong on our side")
