"""One socket from its acceptance to its end: listens, keeps the clocks, and carries out what the protocol decides."""

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
from graphql_api.transports.websocket import protocol as said
from graphql_api.transports.websocket.config import WebSocketConfig
from graphql_api.transports.websocket.credentials import authorization, verdict_on
from graphql_api.transports.websocket.operations import Operations
from graphql_api.transports.websocket.protocol import Close, Effects, Protocol
from observability.request_records import record_user
from streaming.connections import Connection, ConnectionRefused

_LONGEST_TIMER: Final = 30 * 24 * 3600.0


class WebSocketConnection(Generic[ContextT]):
    """Runs in the task that the server made for the socket, and needs no other one while nothing happens."""

    def __init__(
        self,
        setup: WebSocketConfig[ContextT],
        upgrade: HandshakeRequest,
        subprotocol: str | None,
        receive: Receive,
        send: Send,
    ) -> None:
        self._setup = setup
        self._upgrade = upgrade
        self._subprotocol = subprotocol
        self._receive = receive
        self._send = send
        self._writer = SocketWriter(send, setup.sending, abort=upgrade.abort, put=upgrade.put)
        self._protocol = Protocol(max_message=setup.max_message, max_operations=setup.max_operations)
        self._ending = asyncio.Event()
        self._operations = Operations(
            self._protocol, setup.executor, setup.requests, self._make_context, self._perform, self._put, self._vouch
        )
        self._authorization: str | None = None
        self._identity: Identity | None = None
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._chores: set[asyncio.Task[None]] = set()
        self._main: asyncio.Task[Any] | None = None
        self._over = False
        self._farewell: Close | None = None

    async def run(self) -> None:
        """Accept the socket and converse until either side has had enough; before, it has a place or is refused one.

        Mutations that were begun are finished before this returns.
        """
        self._main = asyncio.current_task()
        try:
            with self._setup.connections.open(throttle_key(self._upgrade.client.address), self.end) as connection:
                await self._listen(connection)
                await self._hang_up()
        except ConnectionRefused as refused:
            self.end(refused.code, refused.reason)
            await self._accept()
            await self._hang_up()
        finally:
            self._stop_operations()
            await self._operations.wait()

    def end(self, code: int, why: str) -> None:
        """Close the socket soon; only the first call counts. May be called from outside, and never blocks."""
        self._protocol.close(CloseCode(code), why)
        self._stop(Close(CloseCode(code), reason(why)))

    def _stop(self, farewell: Close | None) -> None:
        if self._over:
            return
        self._over = True
        self._farewell = farewell
        # The main task looks for itself; asleep in `receive`, it has to be woken.
        if self._main is not None and asyncio.current_task() is not self._main:
            self._main.cancel()

    async def _accept(self) -> None:
        # A browser never shows a page why a handshake failed: a socket is accepted, and closed with a code that says.
        await self._send({"type": "websocket.accept", "subprotocol": self._subprotocol})

    async def _listen(self, connection: Connection) -> None:
        self._connection = connection
        self._start_clocks()
        try:
            await self._accept()
            while not self._over:
                await self._hear(await self._receive())
        except PeerDisconnected:
            self._stop(None)
        except asyncio.CancelledError:
            if not self._over or (self._main is not None and self._main.uncancel() > 0):
                raise  # it is the server that stops us
        finally:
            self._stop_clocks()

    async def _hear(self, message: Message) -> None:
        if message["type"] == "websocket.disconnect":
            self._protocol.close(CloseCode.TRY_LATER, "")
            self._stop(None)
            return
        text = message.get("text")
        await self._perform(self._protocol.receive_binary() if text is None else self._protocol.receive_text(text))

    async def _hang_up(self) -> None:
        # Operations first: one that waits for a peer that does not read would hold the pen.
        self._stop_operations()
        if self._farewell is None:
            return
        try:
            await self._writer.close(self._farewell.code, self._farewell.reason)
        except PeerDisconnected:
            return

    def _stop_operations(self) -> None:
        self._operations.stop_all()
        self._ending.set()

    def _put(self, text: str) -> bool:
        return not self._over and self._writer.put(text)

    async def _perform(self, effects: Effects) -> None:
        try:
            for effect in effects:
                if type(effect) is said.Send:  # nearly all are
                    await self._writer.text(effect.text)
                else:
                    await self._perform_one(effect)
        except PeerDisconnected:
            self._protocol.close(CloseCode.TRY_LATER, "")
            self._stop(None)
            raise

    async def _perform_one(self, effect: said.Effect) -> None:
        match effect:
            case said.Start(key, request):
                await self._perform(self._operations.start(key, request))
                await asyncio.sleep(0)  # many subscribes may be in the queue, and `receive` need not let go
            case said.Stop(key):
                self._operations.stop(key)
            case said.Authenticate(payload):
                await self._authenticate(payload)
            case said.Close():
                self._stop(effect)

    async def _authenticate(self, payload: Mapping[str, Any]) -> None:
        try:
            self._authorization = authorization(payload, self._upgrade.authorization)
            self._identity = await sign_in(self._connection, self._setup.authenticate, self._authorization)
        except Exception as error:
            self.end(*(verdict_on(error) or _bug(error)))
            return
        if self._identity is not None:
            self._expire_at(self._identity.expires_at)
        await self._perform(self._protocol.authenticated())

    async def _vouch(self) -> bool:
        """Whether who signed in may still ask, as a request would be asked: else the socket ends.

        A revocation closes the sockets of its user, but not while this process is cut off from the log.

        Raises:
            Unavailable: nobody can say at the moment.
        """
        if self._identity is None:
            return True
        try:
            identity = await self._setup.authenticate(self._authorization)
        except Unauthenticated as error:
            self.end(*(verdict_on(error) or _bug(error)))
            return False
        if identity is None or identity.actor != self._identity.actor:
            self.end(CloseCode.FORBIDDEN, "Forbidden: access changed")
            return False
        return True

    def _make_context(self, request_id: str) -> ContextT:
        if self._identity is not None:
            record_user(self._identity.actor.user_id)
        return self._setup.make_context(self._upgrade.request_context(self._identity, request_id, self._ending.wait))

    def _start_clocks(self) -> None:
        loop = asyncio.get_running_loop()
        self._timers["init"] = loop.call_later(self._setup.timing.init, self._init_is_late)
        self._timers["ping"] = loop.call_later(self._setup.timing.ping, self._tick)

    def _stop_clocks(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        for chore in self._chores:
            chore.cancel()

    def _init_is_late(self) -> None:
        self._perform_soon(self._protocol.init_timed_out())

    def _tick(self) -> None:
        self._timers["ping"] = asyncio.get_running_loop().call_later(self._setup.timing.ping, self._tick)
        self._perform_soon(self._protocol.tick(self._cursors()))

    def _cursors(self) -> dict[str, Any] | None:
        if self._setup.cursor_of is None:
            return None
        contexts = self._operations.contexts()
        known = {name: self._setup.cursor_of(context) for name, context in contexts.items()}
        cursors = {name: cursor for name, cursor in known.items() if cursor is not None}
        return {"cursors": cursors} if cursors else None

    def _expire_at(self, instant: datetime) -> None:
        seconds = min(max(0.0, (instant - datetime.now(UTC)).total_seconds()), _LONGEST_TIMER)
        self._timers["expiry"] = asyncio.get_running_loop().call_later(
            seconds, self.end, CloseCode.FORBIDDEN, "Token has expired"
        )

    def _perform_soon(self, effects: Effects) -> None:
        chore = asyncio.create_task(self._perform_quietly(effects))
        self._chores.add(chore)
        chore.add_done_callback(self._chores.discard)

    async def _perform_quietly(self, effects: Effects) -> None:
        try:
            await self._perform(effects)
        except PeerDisconnected:
            return


def _bug(error: Exception) -> CloseReason:
    describe(error, request_id=new_request_id())  # logs it
    return CloseReason(CloseCode.TRY_LATER, "Something went wrong on our side")
