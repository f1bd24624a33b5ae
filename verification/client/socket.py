"""A client's half of graphql-transport-ws, for one socket."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import websockets
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.typing import Subprotocol

from verification.client.failures import Away, Ended, Refused, Unreachable

SUBPROTOCOL: Final = Subprotocol("graphql-transport-ws")
OPENING_SECONDS: Final = 5.0
SILENCE_SECONDS: Final = 45.0
"""The server pings every 12 s. After this time without a message, the connection counts as lost."""


class Socket:
    """An acknowledged WebSocket. *cursors* are the cursors of the last pings, by operation."""

    def __init__(self, connection: ClientConnection, silence: float) -> None:
        self._connection = connection
        self._silence = silence
        self.cursors: dict[str, str] = {}

    async def subscribe(self, id: str, query: str, variables: dict[str, Any]) -> None:
        """Start an operation.

        Raises:
            Ended: the WebSocket is closed.
        """
        await self._send(id=id, type="subscribe", payload={"query": query, "variables": variables})

    async def receive(self) -> dict[str, Any]:
        """The next message of type `next`; pings are answered.

        Raises:
            Ended: the WebSocket is closed, or there was no message for too long.
            Refused: the operation failed.
        """
        while True:
            message = await self._receive()
            match message["type"]:
                case "next":
                    return message
                case "ping":
                    self.cursors |= (message.get("payload") or {}).get("cursors", {})
                    await self._send(type="pong")
                case "error":
                    raise _refusal(message["payload"])
                case "complete":
                    raise Ended(1000, "The subscription is complete.")

    async def abort(self) -> None:
        """Close the connection without a close frame, like a broken network."""
        self._connection.transport.abort()

    async def _send(self, **message: Any) -> None:
        try:
            await self._connection.send(json.dumps(message))
        except ConnectionClosed as closed:
            raise _ended(closed) from closed

    async def _receive(self) -> dict[str, Any]:
        try:
            async with asyncio.timeout(self._silence):
                message: dict[str, Any] = json.loads(await self._connection.recv(decode=True))
                return message
        except ConnectionClosed as closed:
            raise _ended(closed) from closed
        except TimeoutError:
            raise Ended(1006, "No message from the server.") from None


@asynccontextmanager
async def opened(url: str, token: str | None, *, silence: float = SILENCE_SECONDS) -> AsyncIterator[Socket]:
    """An acknowledged WebSocket.

    Raises:
        Unreachable: the connection failed.
        Ended: the server closed it, for example because of the token.
    """
    try:
        async with asyncio.timeout(OPENING_SECONDS):
            connection = await websockets.connect(
                url, subprotocols=[SUBPROTOCOL], ping_interval=None, close_timeout=0.5, compression=None, max_size=None
            )
    except (OSError, TimeoutError, WebSocketException) as error:
        raise Unreachable(str(error) or type(error).__name__) from error
    try:
        socket = Socket(connection, silence)
        await _init(socket, token)
        yield socket
    finally:
        await connection.close()


async def _init(socket: Socket, token: str | None) -> None:
    await socket._send(type="connection_init", payload={"token": token} if token else {})
    while (await socket._receive())["type"] != "connection_ack":
        pass


def _ended(closed: ConnectionClosed) -> Ended:
    frame = closed.rcvd
    return Ended(frame.code, frame.reason) if frame is not None else Ended(1006, "The connection broke.")


def _refusal(errors: list[dict[str, Any]]) -> Refused:
    code = str(errors[0].get("extensions", {}).get("code", ""))
    return (Away if code == "UNAVAILABLE" else Refused)(code, str(errors[0].get("message", "")))
