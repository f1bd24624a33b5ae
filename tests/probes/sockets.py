"""GraphQL sockets, one for each person, which stay open for all probes."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from itertools import count
from typing import Any

import websockets
from websockets.asyncio.client import ClientConnection

from tests.probes.frames import Frames
from tests.probes.things import Person
from tests.support.waiting import HANG_SECONDS
from tests.support.websocket_client import SUBPROTOCOL


class PersonSocket:
    """A signed-in socket. Operations have unique ids, and each frame is kept with its operation."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._ids = count(1)
        self._pings = count(1)
        self.frames = Frames(_messages(connection))

    async def subscribe(self, text: str, variables: dict[str, Any]) -> str:
        """Start an operation; returns its id."""
        identity = f"op{next(self._ids)}."
        payload = {"query": text, "variables": variables}
        await self._send({"id": identity, "type": "subscribe", "payload": payload})
        return identity

    async def unsubscribe(self, identity: str) -> None:
        """End an operation, and wait for the frames that were sent before."""
        await self._send({"id": identity, "type": "complete"})
        await self.round_trip()

    async def round_trip(self) -> None:
        """Wait for everything that was sent until now."""
        token = f"ping{next(self._pings)}."
        since = len(self.frames.received)
        await self._send({"type": "ping", "payload": {"token": token}})
        await self.until(lambda: any(token.encode() in frame for frame in self.frames.received[since:]))

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until a condition on the frames is true."""
        async with asyncio.timeout(HANG_SECONDS):
            while not condition():
                await self.frames.next()

    async def close(self) -> None:
        """Close the socket."""
        await self.frames.close()
        await self._connection.close()

    def of(self, identity: str, since: int) -> list[bytes]:
        """The frames of an operation."""
        part = json.dumps(identity).encode()
        return [frame for frame in self.frames.received[since:] if part in frame]

    async def result(self, text: str, variables: dict[str, Any]) -> list[bytes]:
        """The frames of an operation that ends by itself."""
        since = len(self.frames.received)
        identity = await self.subscribe(text, variables)
        await self.until(lambda: any(_is_end(frame) for frame in self.of(identity, since)))
        return self.of(identity, since)

    async def _send(self, message: dict[str, Any]) -> None:
        await self._connection.send(json.dumps(message))


class Sockets:
    """The sockets of a server."""

    def __init__(self, url: str) -> None:
        self._address = url.replace("http", "ws", 1) + "/graphql"
        self._of: dict[Person, PersonSocket] = {}

    async def of(self, person: Person) -> PersonSocket:
        """The socket of a person."""
        if person not in self._of:
            self._of[person] = await self._open(person)
        return self._of[person]

    async def close(self, *people: Person) -> None:
        """Close the sockets of these people, or all."""
        for person in people or tuple(self._of):
            if person in self._of:
                await self._of.pop(person).close()

    async def _open(self, person: Person) -> PersonSocket:
        connection = await websockets.connect(
            self._address,
            subprotocols=[SUBPROTOCOL],
            ping_interval=None,
            open_timeout=HANG_SECONDS,
            close_timeout=1,
            max_size=None,
        )
        await connection.send(json.dumps({"type": "connection_init", "payload": {"token": person.token}}))
        assert b"connection_ack" in await connection.recv(decode=False)
        return PersonSocket(connection)


async def _messages(connection: ClientConnection) -> AsyncIterator[bytes]:
    async for message in connection:
        yield message if isinstance(message, bytes) else message.encode()


def _is_end(frame: bytes) -> bool:
    kind = json.loads(frame)["type"]
    return kind in ("complete", "error")
