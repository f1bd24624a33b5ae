"""A WebSocket client that sends exactly the given frames."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import websockets
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.support.waiting import HANG_SECONDS

SUBPROTOCOL = Subprotocol("graphql-transport-ws")


class Socket:
    """One open socket; every wait ends after five seconds."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def send(self, **message: Any) -> None:
        """Send a message as JSON."""
        await self.connection.send(json.dumps(message))

    async def init(self, payload: dict[str, Any] | None = None) -> None:
        """Get acknowledged."""
        await self.send(type="connection_init", payload=payload)
        assert await self.receive() == {"type": "connection_ack"}

    async def subscribe(self, id: str, query: str, /, **variables: Any) -> None:
        """Ask for an operation."""
        await self.send(id=id, type="subscribe", payload={"query": query, "variables": variables})

    async def receive(self) -> dict[str, Any]:
        """The next message."""
        async with asyncio.timeout(HANG_SECONDS):
            message: dict[str, Any] = json.loads(await self.connection.recv(decode=True))
            return message

    async def closed(self) -> tuple[int, str]:
        """The close code and reason, after any other frames."""
        async with asyncio.timeout(HANG_SECONDS):
            with pytest.raises(ConnectionClosed) as ended:
                await self._drain()
        frame = ended.value.rcvd
        assert frame is not None, "the connection broke without a close frame"
        return frame.code, frame.reason

    async def _drain(self) -> None:
        while True:
            await self.connection.recv()


@asynccontextmanager
async def connected(url: str, **options: Any) -> AsyncIterator[Socket]:
    """An open socket to the server at *url*."""
    options.setdefault("subprotocols", [SUBPROTOCOL])
    address = url.replace("http", "ws", 1) + "/graphql"
    async with websockets.connect(
        address, ping_interval=None, open_timeout=HANG_SECONDS, close_timeout=1, **options
    ) as connection:
        yield Socket(connection)
