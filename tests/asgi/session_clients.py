"""Clients of a streaming session over each transport, seen from the ASGI server."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, Final, Self, cast
from uuid import UUID

from starlette.types import ASGIApp, Message, Scope

from asgi.client import Identity
from asgi.socket_writer import ABORT
from asgi.streaming_session import SessionConfig, StreamTiming
from domain.actor import Actor
from domain.user import Role
from graphql_api.execution.documents import Documents
from graphql_api.execution.executor import Executor
from graphql_api.transports.sse.config import SSEConfig
from graphql_api.transports.sse.endpoint import GraphQLEvents
from graphql_api.transports.websocket.config import WebSocketConfig
from graphql_api.transports.websocket.endpoint import GraphQLSocket
from observability.request_records import RequestRecords
from rest_api.websocket import TaskSocket
from streaming.connections import Connections
from tests.support.echo_app import EchoContext, Journal, schema

ACTOR: Final = Actor(UUID(int=1), Role.USER, UUID(int=2), 1)
QUIET: Final = "subscription { quiet }"
PING, SEND = 12.0, 10.0
AUTHORIZATION: Final = (b"authorization", b"Bearer ada")
REFUSED, FORBIDDEN, RESUME = "REFUSED", "FORBIDDEN", "RESUME"
"""How a session ends: before it is accepted, because of the user's rights, or so that the client reconnects."""


@dataclass
class Server:
    """What the transports share."""

    lifetime: float = 36_000.0
    connections: Connections = field(default_factory=Connections)
    requests: RequestRecords = field(default_factory=RequestRecords)
    on_authenticate: Callable[[int], Any] = lambda call: None
    fails: bool = False
    calls: int = 0

    async def authenticate(self, authorization: str | None) -> Identity | None:
        """Accept any token."""
        self.calls += 1
        self.on_authenticate(self.calls)
        await asyncio.sleep(0)
        return Identity(ACTOR, datetime.now(UTC) + timedelta(seconds=self.lifetime))

    def cursor(self) -> str:
        """The position of a subscription."""
        if self.fails:
            raise ZeroDivisionError("secret detail")
        return "c1"

    def revoke(self) -> None:
        """End the sessions of the user."""
        self.connections.close_user(ACTOR.user_id)

    @property
    def session(self) -> SessionConfig:
        """The configuration of an endpoint."""
        return SessionConfig(self.connections, self.authenticate, StreamTiming(ping=PING, send=SEND))

    def graphql(self) -> tuple[Executor[EchoContext], Callable[[Any], EchoContext]]:
        """An executor, and contexts for it."""
        return Executor(schema, Documents(schema)), lambda facts: EchoContext(facts, Journal())


class Transport:
    """One way to listen."""

    opening: tuple[dict[str, Any], ...] = ()
    revoked_code: str
    """What the record of its subscription says after a revocation."""

    def app(self, server: Server) -> ASGIApp:
        """The endpoint."""
        raise NotImplementedError

    def scope(self) -> Scope:
        """The request of a client with a token."""
        return {"type": "websocket", "scheme": "ws", "path": "/", "query_string": b"", "headers": [AUTHORIZATION]}

    def is_ping(self, message: Message) -> bool:
        """Whether the message is sent at an interval."""
        raise NotImplementedError

    def end(self, message: Message) -> str | None:
        """How a message ends the session; None if it does not end it."""
        if message["type"] != "websocket.close":
            return None
        return FORBIDDEN if message["code"] == 4403 else RESUME


class GraphQLWebSocket(Transport):
    """graphql-transport-ws."""

    revoked_code = "CANCELLED"
    opening = (
        {"type": "connection_init"},
        {"type": "subscribe", "id": "1", "payload": {"query": QUIET}},
    )

    def app(self, server: Server) -> ASGIApp:
        """The endpoint."""
        executor, make_context = server.graphql()
        config = WebSocketConfig(
            executor,
            make_context,
            server.session,
            cursor_of=lambda context: server.cursor(),
            requests=server.requests,
        )
        return GraphQLSocket(config, lambda *_, **__: True)

    def scope(self) -> Scope:
        """A handshake."""
        return {**super().scope(), "subprotocols": ["graphql-transport-ws"]}

    def is_ping(self, message: Message) -> bool:
        """A ping with the cursor."""
        return '"type":"ping","payload":{"cursors":{"1":"c1"}}' in message.get("text", "")


class TaskWebSocket(Transport):
    """`/ws/tasks`."""

    revoked_code = "FORBIDDEN"

    def app(self, server: Server) -> ASGIApp:
        """The endpoint, on a stream without events."""
        backend = SimpleNamespace(stream=SimpleNamespace(subscribe=lambda *_, **__: QuietSubscriber(server)))
        return TaskSocket(cast("Any", backend), server.session, lambda *_, **__: True, requests=server.requests)

    def scope(self) -> Scope:
        """A handshake."""
        return {**super().scope(), "path_params": {"client_id": str(UUID(int=1))}}

    def is_ping(self, message: Message) -> bool:
        """The cursor."""
        return '"type":"cursor"' in message.get("text", "")


class EventStream(Transport):
    """Server-Sent Events."""

    revoked_code = "UNAUTHENTICATED"

    def app(self, server: Server) -> ASGIApp:
        """The endpoint."""
        executor, make_context = server.graphql()
        config = SSEConfig(
            executor,
            make_context,
            server.session,
            cursor_of=lambda context: server.cursor(),
            reached_by=lambda context: None,
        )
        return GraphQLEvents(config, _no_app, lambda *_, **__: True, requests=server.requests)

    def scope(self) -> Scope:
        """A request."""
        query = f"query={QUIET}".replace(" ", "%20").encode()
        headers = [AUTHORIZATION, (b"accept", b"text/event-stream")]
        return {**super().scope(), "type": "http", "method": "GET", "query_string": query, "headers": headers}

    def is_ping(self, message: Message) -> bool:
        """A comment, or the position."""
        return message.get("body") in (b":\n\n", b"id: c1\n\n")

    def end(self, message: Message) -> str | None:
        """The status of an error, or the last part."""
        if message["type"] == "http.response.start":
            return None if message["status"] == 200 else REFUSED
        if message.get("more_body") or message["body"].startswith(b"{"):  # more follows, or the body of an error
            return None
        return FORBIDDEN if b"UNAUTHENTICATED" in message["body"] else RESUME


class QuietSubscriber:
    """A subscription without events."""

    def __init__(self, server: Server) -> None:
        self._server = server

    @property
    def cursor(self) -> str:
        """Its position."""
        return self._server.cursor()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        return None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> None:
        await asyncio.get_running_loop().create_future()


class Client:
    """The client of one session. It answers pings."""

    def __init__(self, transport: Transport, server: Server) -> None:
        self._transport = transport
        self._server = server
        self._inbox: asyncio.Queue[Message] = asyncio.Queue()
        self.reads = asyncio.Event()
        self.reads.set()
        self.aborts = 0
        self.sent: list[Message] = []
        self.pings: list[float] = []

    @property
    def ends(self) -> list[str]:
        """The messages that end the session."""
        return [end for message in self.sent if (end := self._transport.end(message)) is not None]

    async def serve(self) -> None:
        """Serve it to its end, after which nothing of it is left."""
        scope = self._transport.scope()
        if scope["type"] == "websocket":
            self._inbox.put_nowait({"type": "websocket.connect"})
        for message in self._transport.opening:
            self.say(message)
        before = asyncio.all_tasks()
        await self._transport.app(self._server)(
            {**scope, "extensions": {ABORT: self._abort}}, self._inbox.get, self._send
        )
        assert asyncio.all_tasks() <= before
        assert self._server.connections.count == 0

    def say(self, message: dict[str, Any]) -> None:
        """Send a text frame."""
        self._inbox.put_nowait({"type": "websocket.receive", "text": json.dumps(message)})

    def disconnect(self) -> None:
        """Close the connection."""
        self._inbox.put_nowait({"type": f"{self._transport.scope()['type']}.disconnect"})

    async def _send(self, message: Message) -> None:
        await self.reads.wait()
        self.sent.append(message)
        if self._transport.is_ping(message):
            self.pings.append(asyncio.get_running_loop().time())
            if isinstance(self._transport, GraphQLWebSocket):
                self.say({"type": "pong"})

    def _abort(self) -> None:
        self.aborts += 1
        self.disconnect()


TRANSPORTS: Final = {
    "graphql-transport-ws": GraphQLWebSocket(),
    "task socket": TaskWebSocket(),
    "event stream": EventStream(),
}


async def _no_app(scope: Scope, receive: Any, send: Any) -> None:
    raise AssertionError("The request is for events")
