"""One streaming connection, whatever its protocol: register, accept, authenticate, ping, revoke, expire, close."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from starlette.types import Message, Receive, Send

from asgi.client import Identity, throttle_key
from asgi.close_codes import CloseCode, CloseReason, close_reason, close_reason_for
from asgi.request_id import new_request_id
from asgi.socket_writer import PeerDisconnected, SocketWriter
from asgi.timeouts import TimeoutQueue
from asgi.websocket_handshake import Authenticate, HandshakeRequest
from domain.errors import Unauthenticated
from observability.request_records import log_bug
from streaming.connections import ClientConnection, Connections

_DISCONNECT: Final = frozenset({"websocket.disconnect", "http.disconnect"})


@dataclass(frozen=True, slots=True)
class StreamTiming:
    """Times in seconds: the limit for the first message, the interval of pings, and the limit for sending one frame."""

    first_message: float = 10.0
    ping: float = 12.0
    send: float = 10.0


@dataclass(slots=True)
class SessionConfig:
    """What the sessions of an endpoint share."""

    connections: Connections
    authenticate: Authenticate
    timing: StreamTiming = field(default_factory=StreamTiming)
    sending: TimeoutQueue = field(init=False)

    def __post_init__(self) -> None:
        self.sending = TimeoutQueue(self.timing.send)


class Frames(Protocol):
    """The part of a session that depends on the protocol: its frames.

    All methods run in the task of the session, except `ping`. An exception of `receive` or `ping` ends the session.
    """

    async def accept(self) -> None:
        """Accept the connection. An exception refuses it: `StreamingSession.run` raises it."""

    async def receive(self, message: Message) -> None:
        """Handle a message of the client."""

    async def ping(self) -> None:
        """A ping interval has passed."""

    async def close(self, reason: CloseReason | None) -> None:
        """Send the last frame. Without a *reason* the stream is complete."""


class StreamingSession:
    """The lifetime of one connection.

    The task of the server receives messages. An idle connection has no other task: timers are callbacks. The session
    ends once: when `end` or `complete` is called, when the client disconnects, or when a task fails. From then on no
    frame is sent, except the last one.
    """

    def __init__(
        self, config: SessionConfig, handshake: HandshakeRequest, frames: Frames, receive: Receive, send: Send
    ) -> None:
        self._config = config
        self._handshake = handshake
        self._frames = frames
        self._receive = receive
        self.writer = SocketWriter(send, config.sending, abort=handshake.abort, put=handshake.put)
        self._ended: asyncio.Future[CloseReason | None] = asyncio.get_running_loop().create_future()
        self._connection: ClientConnection | None = None
        self.identity: Identity | None = None
        self._authorization: str | None = None
        self._peer_disconnected = False
        self._receiving: asyncio.Task[Any] | None = None
        self._tasks: dict[asyncio.Task[None], bool] = {}
        self._timers: list[asyncio.TimerHandle] = []
        self._ping_timer: asyncio.TimerHandle | None = None

    async def run(self) -> None:
        """Serve the connection until it ends, and wait for tasks that may not be cancelled.

        Raises:
            ConnectionRefused: there are too many connections. This one is not accepted.
        """
        try:
            with self._config.connections.open(throttle_key(self._handshake.client.address), self.end) as connection:
                self._connection = connection
                await self._frames.accept()
                self._start_ping_timer()
                await self._receive_messages()
                await self.close()
        finally:
            self._stop()
            while self._tasks:
                await asyncio.wait(self._tasks)

    def end(self, code: int, why: str) -> None:
        """End the session soon, without blocking. Only the first call counts. Any task may call it."""
        self._end(close_reason(CloseCode(code), why))

    def complete(self) -> None:
        """End the session because the stream is complete."""
        self._end(None)

    async def close(self) -> None:
        """Send the last frame, unless the client has disconnected."""
        # Stop first: a task that waits for a slow client would block the writer.
        self._stop()
        if not self._peer_disconnected:
            with suppress(PeerDisconnected):
                await self._frames.close(self._ended.result())

    def release(self) -> None:
        """Refer to nothing that refers back to this object, so that reference counts free it. Call it after the end.

        Otherwise only a full garbage collection would find the connection, and nearly all of its memory.
        """
        self._connection = None
        del self._frames

    async def wait_ended(self) -> None:
        """Wait until the session has ended, or is about to send its last frame."""
        await asyncio.wait([self._ended])

    def start(self, work: Coroutine[Any, Any, None], *, cancellable: bool = True) -> asyncio.Task[None]:
        """Run *work* in a task until the session ends, or beyond that if it is not *cancellable*."""
        task = asyncio.create_task(work)
        self._tasks[task] = cancellable
        task.add_done_callback(self._task_done)
        return task

    def call_later(self, seconds: float, callback: Callable[..., object], *args: object) -> None:
        """Call *callback* after this time, unless the session ends before."""
        self._timers.append(asyncio.get_running_loop().call_later(seconds, callback, *args))

    async def authenticate(self, authorization: str | None) -> Identity | None:
        """The identity that *authorization* proves. The connection is registered for its user, and ends with its token.

        Raises:
            Unauthenticated, Unavailable: as `SessionConfig.authenticate` does.
            ConnectionRefused: the user has too many connections.
        """
        identity = await self._config.authenticate(authorization)
        if identity is not None:
            assert self._connection is not None
            self._connection.sign_in(identity.actor)
            # Check again: a revocation between the check and the registration could not find this connection.
            identity = await self._config.authenticate(authorization)
        self._authorization, self.identity = authorization, identity
        if identity is not None:
            seconds = (identity.expires_at - datetime.now(UTC)).total_seconds()
            self.call_later(seconds, self.end, CloseCode.FORBIDDEN, "Token has expired")
        return identity

    async def verify(self) -> bool:
        """Authenticate again, as for an HTTP request. If the identity is no longer valid, end the session.

        A revocation ends the sessions of its user. But while this process cannot read the event log, it does not learn
        of revocations.

        Raises:
            Unavailable: the database does not respond.
        """
        if self.identity is None:
            return True
        try:
            identity = await self._config.authenticate(self._authorization)
        except Unauthenticated as error:
            self._fail(error)
            return False
        if identity is None or identity.actor != self.identity.actor:
            self.end(CloseCode.FORBIDDEN, "Forbidden: access changed")
            return False
        return True

    async def _receive_messages(self) -> None:
        self._receiving = task = asyncio.current_task()
        try:
            while not self._ended.done():
                message = await self._receive()
                if message["type"] in _DISCONNECT:
                    self._disconnected()
                else:
                    await self._frames.receive(message)
        except asyncio.CancelledError:
            if self._receiving is not None or (task is not None and task.uncancel() > 0):
                self._disconnected()
                raise  # The server cancelled the task, not `_end`.
        except Exception as error:
            self._fail(error)

    def _end(self, reason: CloseReason | None) -> None:
        if self._ended.done():
            return
        self._ended.set_result(reason)
        self.writer.discard_frames()
        # If another task calls this, the session may be waiting for a message: cancel the wait.
        if self._receiving is not None and self._receiving is not asyncio.current_task():
            self._receiving.cancel()
            self._receiving = None

    def _fail(self, error: BaseException) -> None:
        if isinstance(error, PeerDisconnected):
            self._disconnected()
        else:
            self.end(*(close_reason_for(error) or _bug(error)))

    def _disconnected(self) -> None:
        self._peer_disconnected = True
        self._end(None)

    def _task_done(self, task: asyncio.Task[None]) -> None:
        del self._tasks[task]
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)

    def _start_ping_timer(self) -> None:
        self._ping_timer = asyncio.get_running_loop().call_later(self._config.timing.ping, self._ping)

    def _ping(self) -> None:
        self._start_ping_timer()
        self.start(self._frames.ping())

    def _stop(self) -> None:
        for timer in self._timers:
            timer.cancel()
        if self._ping_timer is not None:
            self._ping_timer.cancel()
        for task, cancellable in self._tasks.items():
            if cancellable:
                task.cancel()


def _bug(error: BaseException) -> CloseReason:
    log_bug("the socket", error, request_id=new_request_id())
    return CloseReason(CloseCode.TRY_LATER, "Something went wrong on our side")
