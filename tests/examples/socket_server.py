"""A server of graphql-transport-ws whose answers a test decides."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol


class Peer:
    """One connection after its handshake, with its one operation."""

    def __init__(self, socket: ServerConnection, token: str, operation: dict[str, Any]) -> None:
        self._socket = socket
        self.token = token
        self._id = operation["id"]
        self.after: str | None = operation["payload"]["variables"]["after"]

    async def item(self, cursor: str, kind: str = "TaskChanged", **rest: object) -> None:
        """Send an item."""
        await self.result({"data": {"taskChanged": {"__typename": kind, "cursor": cursor, **rest}}})

    async def result(self, payload: dict[str, Any]) -> None:
        """Send a result, which can have errors."""
        await self._send({"id": self._id, "type": "next", "payload": payload})

    async def refuse(self, code: str, **extensions: object) -> None:
        """End the operation with an error."""
        errors = [{"message": code, "extensions": {"code": code, **extensions}}]
        await self._send({"id": self._id, "type": "error", "payload": errors})

    async def close(self, code: int = 1012) -> None:
        """Close the connection."""
        await self._socket.close(code)

    async def _send(self, message: dict[str, Any]) -> None:
        await self._socket.send(json.dumps(message))


class SocketServer:
    """Calls *script* for each connection, and keeps the connection until the client closes it."""

    def __init__(self) -> None:
        self.peers: list[Peer] = []
        self.port = 0
        self.script: Callable[[int, Peer], Awaitable[None]] = _nothing

    @property
    def url(self) -> str:
        """Where it is."""
        return f"ws://127.0.0.1:{self.port}/graphql"

    async def _serve(self, socket: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            hello = json.loads(await socket.recv())
            await socket.send(json.dumps({"type": "connection_ack"}))
            operation = json.loads(await socket.recv())
            token = hello["payload"]["authorization"].removeprefix("Bearer ")
            self.peers.append(Peer(socket, token, operation))
            await self.script(len(self.peers), self.peers[-1])
            await socket.wait_closed()


@asynccontextmanager
async def socket_server() -> AsyncIterator[SocketServer]:
    """A server that runs."""
    server = SocketServer()
    async with serve(server._serve, "127.0.0.1", 0, subprotocols=[Subprotocol("graphql-transport-ws")]) as listening:
        server.port = next(iter(listening.sockets)).getsockname()[1]
        yield server


async def _nothing(number: int, peer: Peer) -> None:
    """Leave the connection as it is."""
    await asyncio.sleep(0)
