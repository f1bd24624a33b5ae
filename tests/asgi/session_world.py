"""A streaming session whose frames are only recorded, and everything around it."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from starlette.types import Message

from asgi.client import Client, Identity
from asgi.close_codes import CloseCode, CloseReason
from asgi.socket_writer import ABORT, PUT
from asgi.streaming_session import SessionConfig, StreamingSession, StreamTiming
from asgi.websocket_handshake import HandshakeRequest
from domain.actor import Actor
from domain.user import Role
from streaming.connections import Connections

ACTOR = Actor(UUID(int=1), Role.USER, UUID(int=2), 1)
TIMING = StreamTiming(first_message=5, ping=12, send=10)
DISCONNECT = {"type": "websocket.disconnect"}
SIGNED_OUT = CloseReason(CloseCode.FORBIDDEN, "Forbidden: access changed")


@dataclass
class World:
    """The client of one session, its frames, and everything around it."""

    lifetime: float = 600.0
    authenticate_error: Exception | None = None
    connections: Connections = field(default_factory=Connections)
    sent: list[Any] = field(default_factory=list)
    pings: list[float] = field(default_factory=list)
    closed: list[CloseReason | None] = field(default_factory=list)
    on_accept: Callable[[], Any] = lambda: None
    on_authenticate: Callable[[], Any] = lambda: None
    on_message: Callable[[Message], Any] = lambda message: None
    on_ping: Callable[[], Any] = lambda: None
    is_reading: asyncio.Event = field(default_factory=asyncio.Event)
    inbox: "asyncio.Queue[Message]" = field(default_factory=asyncio.Queue)
    aborted: int = 0

    def __post_init__(self) -> None:
        self.is_reading.set()
        scope = {"type": "websocket", "headers": [], "extensions": {ABORT: self.abort, PUT: self.put}}
        handshake = HandshakeRequest(Client("127.0.0.1", None), secure=False, scope=scope)
        config = SessionConfig(self.connections, self.authenticate, TIMING)
        self.session = StreamingSession(config, handshake, self, self.inbox.get, self.send)

    async def authenticate(self, authorization: str | None) -> Identity | None:
        self.on_authenticate()
        await asyncio.sleep(0)
        if self.authenticate_error is not None:
            raise self.authenticate_error
        return Identity(ACTOR, datetime.now(UTC) + timedelta(seconds=self.lifetime)) if authorization else None

    async def send(self, message: Message) -> None:
        await self.is_reading.wait()
        self.sent.append(message.get("text", message["type"]))

    def put(self, text: str) -> bool:
        self.sent.append(text)
        return True

    def abort(self) -> None:
        self.aborted += 1
        self.inbox.put_nowait(DISCONNECT)

    async def accept(self) -> None:
        await self.send({"type": "websocket.accept"})
        self.on_accept()

    async def receive(self, message: Message) -> None:
        if message.get("text") == "sign in":
            await self.session.authenticate("Bearer ada")
            await self.session.writer.text("signed in")
        result = self.on_message(message)
        if result is not None:
            await result

    async def ping(self) -> None:
        self.pings.append(asyncio.get_running_loop().time())
        self.on_ping()
        await self.session.writer.text("ping")

    async def close(self, reason: CloseReason | None) -> None:
        self.closed.append(reason)
        await self.session.writer.close(reason.code if reason else 1000, reason.reason if reason else "")

    def says(self, text: str) -> None:
        self.inbox.put_nowait({"type": "websocket.receive", "text": text})

    def starts(self, work: Callable[[], Coroutine[Any, Any, None]], *, cancellable: bool = True) -> None:
        """A message starts a task."""

        def start(message: Message) -> None:
            self.session.start(work(), cancellable=cancellable)

        self.on_message = start
        self.says("begin")

    def revoke(self) -> None:
        self.connections.close_user(ACTOR.user_id)

    async def served(self) -> None:
        """Run the session to its end: nothing is left of it."""
        await self.session.run()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert self.connections.count == 0
