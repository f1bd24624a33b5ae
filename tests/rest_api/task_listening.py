"""A client of `/ws/tasks/…`, and changes for it to receive."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
import websockets
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from persistence.models import TaskRow, UserRow
from tests.rest_api.support import Rest
from tests.support.api import Api
from tests.support.waiting import HANG_SECONDS


class Listener:
    """One open socket; every wait ends after five seconds."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def say(self, **message: Any) -> None:
        """Send a message as JSON."""
        await self.connection.send(json.dumps(message))

    async def receive(self) -> dict[str, Any]:
        """The next frame."""
        async with asyncio.timeout(HANG_SECONDS):
            frame: dict[str, Any] = json.loads(await self.connection.recv(decode=True))
            return frame

    async def cursor(self) -> str:
        """The cursor in the next frame."""
        frame = await self.receive()
        assert frame["type"] == "cursor", frame
        return str(frame["cursor"])

    async def closed(self) -> tuple[int, str]:
        """The close code and reason; nothing but cursors may come before."""
        async with asyncio.timeout(HANG_SECONDS):
            with pytest.raises(ConnectionClosed) as ended:
                await self._only_cursors()
        assert ended.value.rcvd is not None, "the connection broke without a close frame"
        return ended.value.rcvd.code, ended.value.rcvd.reason

    async def _only_cursors(self) -> None:
        while True:
            await self.cursor()


@asynccontextmanager
async def open_socket(
    url: str, token: str | None = None, after: str | None = None, path: str | None = None, **options: Any
) -> AsyncIterator[Listener]:
    """An open socket, with a token in its header if one is given."""
    address = url.replace("http", "ws", 1) + (path or f"/ws/tasks/{uuid4()}")
    headers = {"authorization": f"Bearer {token}"} if token else {}
    address += f"?after={after}" if after else ""
    async with websockets.connect(
        address, additional_headers=headers, ping_interval=None, open_timeout=HANG_SECONDS, close_timeout=1, **options
    ) as connection:
        yield Listener(connection)


@asynccontextmanager
async def listening(url: str, api: Api, user: UserRow, after: str | None = None) -> AsyncIterator[Listener]:
    """A socket that receives changes."""
    async with open_socket(url, await api.token(user), after) as listener:
        await listener.cursor()
        yield listener


async def move(rest: Rest, task: TaskRow, by: UserRow, completed: bool = True) -> None:
    """Complete a task over REST."""
    response = await rest.send("PUT", f"/tasks/{task.id}", by, json={"completed": completed})
    assert response.status_code == 200, response.text
