"""The three transports of the stream with one interface, so that their items can be compared."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, Protocol

from persistence.models import UserRow
from tests.graphql_api.stream_client import MOVES
from tests.graphql_api.stream_client import Listener as SocketListener
from tests.graphql_api.test_sse import COMPLETE, asked
from tests.graphql_api.test_sse import Stream as EventStream
from tests.rest_api.task_listening import Listener as TaskListener
from tests.rest_api.task_listening import open_socket
from tests.streaming.support import until
from tests.support.api import Api
from tests.support.websocket_client import connected

__all__ = ["TRANSPORTS", "Listener", "Open", "Received"]

_NAMES: Final = {
    "task.status_changed": "TaskStatusChanged",
    "task.status_changed_before_deletion": "TaskStatusChanged",
    "task.gone": "TaskGone",
    "task.deleted": "TaskDeleted",
    "resync_required": "ResyncRequired",
}


@dataclass(frozen=True)
class Received:
    """An item: its type, the cursor to come back with, and the statuses or the reason that it names."""

    kind: str
    cursor: str
    detail: tuple[str | None, ...]


class Listener(Protocol):
    """One subscription."""

    async def receive(self) -> Received:
        """The next item."""

    async def is_cut_off(self) -> bool:
        """Whether the stream ends next, so that the client must sign in again."""


Open = Callable[[Api, UserRow, str | None], AbstractAsyncContextManager[Listener]]


@dataclass
class _Socket:
    listener: SocketListener

    async def receive(self) -> Received:
        return _of_item(await self.listener.receive())

    async def is_cut_off(self) -> bool:
        return await self.listener.is_closed() == 4403


@dataclass
class _Events:
    stream: EventStream

    async def receive(self) -> Received:
        event = await self.stream.event()
        assert event.id == event.item["cursor"]
        return _of_item(event.item)

    async def is_cut_off(self) -> bool:
        result, end = await self.stream.rest()
        return (result.codes, result.id, end) == (["UNAUTHENTICATED"], None, COMPLETE)


@dataclass
class _TaskSocket:
    listener: TaskListener

    async def receive(self) -> Received:
        while (frame := await self.listener.receive())["type"] == "cursor":
            pass
        return Received(_NAMES[frame["type"]], frame["cursor"], _detail(frame))

    async def is_cut_off(self) -> bool:
        return (await self.listener.closed())[0] == 4403


@asynccontextmanager
async def _socket(api: Api, user: UserRow, after: str | None) -> AsyncIterator[Listener]:
    async with connected(str(api.client.base_url).rstrip("/")) as socket:
        await socket.init({"token": await api.token(user)})
        listener = SocketListener(api, socket)
        await listener.listen(MOVES, after=after)
        yield _Socket(listener)


@asynccontextmanager
async def _events(api: Api, user: UserRow, after: str | None) -> AsyncIterator[Listener]:
    headers = {"last-event-id": after} if after is not None else {}
    async with asked(api, MOVES, user, headers=headers) as stream:
        yield _Events(stream)


@asynccontextmanager
async def _task_socket(api: Api, user: UserRow, after: str | None) -> AsyncIterator[Listener]:
    before = api.server.stream.subscribers
    async with open_socket(str(api.client.base_url).rstrip("/"), await api.token(user), after) as listener:
        await until(lambda: api.server.stream.subscribers > before)
        yield _TaskSocket(listener)


def _of_item(item: dict[str, Any]) -> Received:
    return Received(item["__typename"], item["cursor"], _detail(item))


def _detail(item: dict[str, Any]) -> tuple[str | None, ...]:
    return tuple(item.get(name) for name in ("from", "to", "reason"))


TRANSPORTS: Final[dict[str, Open]] = {
    "graphql-transport-ws": _socket,
    "event stream": _events,
    "task socket": _task_socket,
}
"""How to listen to moves of tasks over each transport."""
