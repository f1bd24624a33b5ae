"""A client of the stream over a real socket, and changes for it to receive."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import cycle
from typing import Any
from uuid import UUID

from domain.stream_cursor import StreamCursor
from domain.task import TaskStatus
from domain.user import Role
from graphql_api.schema.ids import encode_id
from persistence.models import UserRow
from persistence.pagination import PageRequest
from services import task as task_service
from tests.graphql_api.test_tasks import ASSIGN, DELETE, STATUS, task_id, user_id
from tests.streaming.support import until
from tests.support.api import Api
from tests.support.builders import AnyTask
from tests.support.reads import positions, task_history
from tests.support.waiting import HANG_SECONDS
from tests.support.websocket_client import Socket, connected

MOVES = """subscription ($filter: TaskStreamFilter, $after: String) {
  taskStatusChanged(filter: $filter, after: $after) {
    __typename cursor at taskId task { id title status version }
    ... on TaskStatusChanged { from to by { username } }
    ... on ResyncRequired { reason } } }"""
CHANGES = """subscription ($filter: TaskStreamFilter, $after: String) {
  taskChanged(filter: $filter, after: $after) {
    __typename cursor taskId task { id version description }
    ... on TaskChanged { changes }
    ... on ResyncRequired { reason } } }"""
PASSWORD = "Correct-horse1"
TASK_LIKE = encode_id("Task", UUID(int=1))
TO_AND_FRO = (TaskStatus.IN_PROGRESS, TaskStatus.TODO)

Item = dict[str, Any]


_OPEN: list["Listener"] = []


class Listener:
    """A signed-in socket and its items."""

    def __init__(self, api: Api, socket: Socket) -> None:
        self.api = api
        self.socket = socket
        self.subscriptions = 0

    async def listen(self, query: str, id: str = "1", /, **variables: Any) -> None:
        """Subscribe, and return when the server has subscribed."""
        before = self.api.server.stream.subscribers
        self.subscriptions += 1
        await self.socket.subscribe(id, query, **variables)
        await until(lambda: self.api.server.stream.subscribers > before)

    async def receive(self, id: str = "1") -> Item:
        """The next item of an operation; nothing else may come before it but pings."""
        while (message := await self.socket.receive())["type"] == "ping":
            pass
        assert (message["type"], message["id"]) == ("next", id), message
        assert "errors" not in message["payload"], message
        [item] = message["payload"]["data"].values()
        return dict(item)

    async def asked(self, query: str, id: str = "1", /, **variables: Any) -> Item:
        """The first message of an operation."""
        self.subscriptions += 1
        await self.socket.subscribe(id, query, **variables)
        return await self.socket.receive()

    async def lives(self) -> None:
        """The socket answers."""
        await self.socket.send(type="ping", payload={"still": "there"})
        assert await self.socket.receive() == {"type": "pong", "payload": {"still": "there"}}

    async def is_closed(self, within: float = HANG_SECONDS) -> int:
        """The code that the socket is closed with."""
        async with asyncio.timeout(within):
            code, _ = await self.socket.closed()
        return code


@asynccontextmanager
async def signed_in(api: Api, user: UserRow | str | None, **options: Any) -> AsyncIterator[Listener]:
    """A socket of a user, of a token, or of an anonymous client; at the end the server has closed it."""
    before = api.server.stream.subscribers
    token = await api.token(user) if isinstance(user, UserRow) else user
    async with connected(str(api.client.base_url).rstrip("/"), **options) as socket:
        await socket.init({"token": token} if token else None)
        listener = Listener(api, socket)
        _OPEN.append(listener)
        try:
            yield listener
        finally:
            _OPEN.remove(listener)
    # The sockets that were opened before this one may have subscribed after it was opened, and are still open.
    others = sum(each.subscriptions for each in _OPEN if each.api is api)
    await until(lambda: api.server.stream.subscribers <= max(before, others))


async def move(api: Api, task: AnyTask, status: str, by: UserRow) -> None:
    """Move a task on the board."""
    (await api.ask(STATUS, by, input={"id": task_id(task), "status": status})).payload("updateTaskStatus")


async def assign(api: Api, task: AnyTask, to: UserRow | None, by: UserRow) -> None:
    """Assign a task to a user."""
    wanted = {"id": task_id(task), "assigneeId": user_id(to) if to else None}
    (await api.ask(ASSIGN, by, input=wanted)).payload("assignTask")


async def delete(api: Api, task: AnyTask, by: UserRow) -> None:
    """Delete a task."""
    (await api.ask(DELETE, by, input={"id": task_id(task)})).payload("deleteTask")


async def to_and_fro(api: Api, task: AnyTask, by: UserRow, times: int) -> None:
    """Move a task many times, as fast as can be."""
    for status, _ in zip(cycle(TO_AND_FRO), range(times), strict=False):
        await task_service.update_task_status(api.build.as_(by), task_id=task.id, status=status)


async def positions_of(api: Api, task: AnyTask) -> list[int]:
    """Where the events of a task stand in the log."""
    await api.numbered()
    async with api.build.as_(None) as uow:
        return sorted(positions(await task_history(uow, task.id, PageRequest(10_000))))


def position(item: Item) -> int:
    """Where an item stands in the log."""
    return StreamCursor.decode(item["cursor"]).position


async def stream_cursor(api: Api, user: UserRow) -> str:
    """Where the stream stands, from a list."""
    answer = await api.ask("{ tasks(first: 1) { streamCursor } }", user)
    return str(answer.data["tasks"]["streamCursor"])


def narrow(api: Api) -> socket.socket:
    """A connection that holds little of what is not read."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    connection.connect((api.client.base_url.host, api.client.base_url.port))
    connection.setblocking(False)
    return connection


async def set_role(api: Api, user: UserRow, role: str) -> None:
    """Give a user a role."""
    query = "mutation ($input: SetUserRoleInput!) { setUserRole(input: $input) { userErrors { code } } }"
    admin = await api.a_user(Role.ADMIN)
    (await api.ask(query, admin, input={"userId": user_id(user), "role": role})).payload("setUserRole")


async def until_asked(api: Api, user: UserRow, role: str) -> None:
    """Wait until the API takes the user for what it is now."""
    async with asyncio.timeout(HANG_SECONDS):
        while (await api.ask("{ me { role } }", user)).body.get("data") != {"me": {"role": role}}:
            await asyncio.sleep(0.01)
