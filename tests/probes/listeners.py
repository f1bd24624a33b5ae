"""Subscriptions over each transport, with what they receive as bytes."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final, Protocol
from urllib.parse import urlencode
from uuid import uuid4

import orjson
import websockets

from graphql_api.schema.ids import encode_id
from tests.probes.frames import Frames
from tests.probes.servers import Servers
from tests.probes.sockets import PersonSocket
from tests.probes.things import Person, Task
from tests.probes.wire import event_stream
from tests.streaming.support import until
from tests.support.waiting import HANG_SECONDS


class Listener(Protocol):
    """An open subscription."""

    def received(self) -> bytes:
        """Everything that has arrived."""

    async def until(self, part: bytes) -> None:
        """Wait until these bytes have arrived."""


Variables = dict[str, Any]
Open = Callable[[Servers, Person, str, Variables], AbstractAsyncContextManager[Listener]]


class _OnSocket:
    def __init__(self, socket: PersonSocket, identity: str, since: int) -> None:
        self._socket = socket
        self._identity = identity
        self._since = since

    def received(self) -> bytes:
        return b"\n".join(self._socket.of(self._identity, self._since))

    async def until(self, part: bytes) -> None:
        await self._socket.until(lambda: part in self.received())


class _OnFrames:
    def __init__(self, frames: Frames) -> None:
        self._frames = frames

    def received(self) -> bytes:
        return b"".join(self._frames.received)

    async def until(self, part: bytes) -> None:
        await self._frames.until(part)


@asynccontextmanager
async def over_socket(servers: Servers, person: Person, text: str, variables: Variables) -> AsyncIterator[Listener]:
    """An operation on the socket of the person."""
    socket = await servers.sockets.of(person)
    since = len(socket.frames.received)
    async with _subscribed(servers):
        identity = await socket.subscribe(text, variables)
    yield _OnSocket(socket, identity, since)
    await socket.unsubscribe(identity)


@asynccontextmanager
async def over_events(servers: Servers, person: Person, text: str, variables: Variables) -> AsyncIterator[Listener]:
    """A stream of Server-Sent Events."""
    body = orjson.dumps({"query": text, "variables": variables})
    headers = {"authorization": f"Bearer {person.token}", "accept": "text/event-stream"}
    before = servers.api.server.stream.subscribers
    async with event_stream(servers.url, headers, body) as stream:
        await until(lambda: servers.api.server.stream.subscribers > before)
        frames = Frames(stream.chunks())
        yield _OnFrames(frames)
        await frames.close()
    await until(lambda: servers.api.server.stream.subscribers <= before)


@asynccontextmanager
async def over_task_socket(
    servers: Servers, person: Person, text: str, variables: Variables
) -> AsyncIterator[Listener]:
    """A socket of the REST API, which has no filters."""
    after = variables.get("after")
    address = f"{servers.url.replace('http', 'ws', 1)}/ws/tasks/{uuid4()}"
    address += f"?{urlencode({'after': after})}" if after is not None else ""
    headers = {"authorization": f"Bearer {person.token}"}
    before = servers.api.server.stream.subscribers
    async with websockets.connect(
        address, additional_headers=headers, ping_interval=None, open_timeout=HANG_SECONDS, close_timeout=1
    ) as connection:
        await until(lambda: servers.api.server.stream.subscribers > before)
        frames = Frames(_encoded(connection))
        yield _OnFrames(frames)
        await frames.close()
    await until(lambda: servers.api.server.stream.subscribers <= before)


@asynccontextmanager
async def _subscribed(servers: Servers) -> AsyncIterator[None]:
    before = servers.api.server.stream.subscribers
    yield
    await until(lambda: servers.api.server.stream.subscribers > before)


async def _encoded(connection: Any) -> AsyncIterator[bytes]:
    async for message in connection:
        yield message.encode()


def in_graphql(task: Task) -> bytes:
    """The id of a task in items."""
    return encode_id("Task", task.id).encode()


def in_task_socket(task: Task) -> bytes:
    """The id of a task in messages of the task socket."""
    return str(task.id).encode()


TASK_SOCKET: Final = "task socket"
TRANSPORTS: Final[dict[str, Open]] = {
    "subscription, WebSocket": over_socket,
    "subscription, events": over_events,
    TASK_SOCKET: over_task_socket,
}
ENTRIES: Final = {"subscription, WebSocket": "WebSocket", "subscription, events": "event stream"}
"""The entry points on which a subscription that is refused has one response."""
