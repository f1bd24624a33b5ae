"""Several processes act as one server: each knows the changes of the others."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import Serve, World
from tests.embedded.environment import survivors
from tests.graphql_api.test_tasks import CREATE
from tests.support.processes import Served
from tests.support.waiting import HANG_SECONDS
from tests.support.websocket_client import Socket, connected

CHANGES = """subscription ($after: String) { taskChanged(after: $after) { cursor task { title version } } }"""
CURSOR = "{ tasks(first: 1) { streamCursor } }"
MOVES = """subscription ($after: String) { taskStatusChanged(after: $after) {
  __typename taskId ... on TaskStatusChanged { from to } } }"""
EDIT = "mutation ($input: UpdateTaskInput!) { updateTask(input: $input) { task { version } } }"
MOVE = "mutation ($input: UpdateTaskStatusInput!) { updateTaskStatus(input: $input) { task { version } } }"
DELETE = "mutation ($input: DeleteTaskInput!) { deleteTask(input: $input) { deletedTaskId } }"
HISTORY = """query ($id: ID!, $after: String) { task(id: $id) { history(first: 100, after: $after) {
  nodes { version changes from to } pageInfo { hasNextPage endCursor } } } }"""
STATUSES = ("TODO", "IN_PROGRESS", "DONE", "CANCELLED")
LOGOUT = "mutation { logout { userErrors { code } } }"


@pytest.fixture(scope="module")
async def pair(serve: Serve) -> tuple[Served, Served]:
    """Two servers."""
    a, b = serve(), serve()
    return await a.ready(), await b.ready()


@asynccontextmanager
async def listening(world: World, server: Served, token: str, query: str = CHANGES) -> AsyncIterator[Socket]:
    """A socket that receives every change."""
    cursor = (await world.ask(server, CURSOR, token)).data["tasks"]["streamCursor"]
    async with connected(server.url) as socket:
        await socket.init({"token": token})
        await socket.subscribe("1", query, after=cursor)
        yield socket


async def create(world: World, server: Served, token: str, title: str) -> None:
    """Create a task."""
    (await world.ask(server, CREATE, token, input={"title": title})).payload("createTask")


async def title(socket: Socket) -> str:
    """The title in the next frame."""
    message = await socket.receive()
    assert message["type"] == "next", message
    return str(message["payload"]["data"]["taskChanged"]["task"]["title"])


async def refused(world: World, server: Served, token: str) -> None:
    """Wait until the server refuses the token."""
    async with asyncio.timeout(HANG_SECONDS):
        while (await world.ask(server, "{ me { id } }", token)).codes != ["UNAUTHENTICATED"]:
            await asyncio.sleep(0.01)


@dataclass
class Rival:
    """Changes tasks through one of the servers, and records acknowledged changes."""

    world: World
    server: Served
    token: str
    ids: list[str]
    number: int
    moved: list[tuple[str, int, str]] = field(default_factory=list)
    edited: list[tuple[str, int]] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)

    async def work(self) -> None:
        """Move and edit the same tasks; missing tasks and forbidden moves are refused."""
        dice = Random(self.number)
        for turn in range(40):
            task, to = dice.choice(self.ids), dice.choice(STATUSES)
            await (self.edit(task, f"{self.number}, {turn}") if dice.random() < 0.25 else self.move(task, to))

    async def edit(self, task: str, title: str) -> None:
        """Change the title of a task."""
        answer = await self.world.ask(self.server, EDIT, self.token, input={"id": task, "title": title})
        edited = answer.data["updateTask"]["task"]
        self.edited += [(task, edited["version"])] if edited is not None else []

    async def move(self, task: str, to: str) -> None:
        """Move a task if its status allows it."""
        answer = await self.world.ask(self.server, MOVE, self.token, input={"id": task, "status": to})
        moved = answer.data["updateTaskStatus"]["task"]
        self.moved += [(task, moved["version"], to)] if moved is not None else []

    async def delete(self, task: str) -> None:
        """Delete a task while others change it, twice."""
        await asyncio.sleep(0.3)
        for _ in range(2):
            answer = await self.world.ask(self.server, DELETE, self.token, input={"id": task})
            found = answer.data["deleteTask"]["deletedTaskId"]
            self.deleted += [found] if found is not None else []


async def moves_until(last: str, socket: Socket) -> list[tuple[str, str, str]]:
    """All moves that a socket receives, up to that of the last task: task, from and to."""
    received: list[tuple[str, str, str]] = []
    while not received or received[-1][0] != last:
        message = await socket.receive()
        item = message["payload"]["data"]["taskStatusChanged"]
        if item["__typename"] == "TaskStatusChanged":
            received.append((item["taskId"], item["from"], item["to"]))
    return received


async def history(world: World, server: Served, token: str, task: str) -> list[dict[str, Any]]:
    """All events of a task, the oldest first."""
    entries: list[dict[str, Any]] = []
    after: str | None = None
    while True:
        page = (await world.ask(server, HISTORY, token, id=task, after=after)).data["task"]["history"]
        entries += page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            return entries[::-1]
        after = page["pageInfo"]["endCursor"]


class TestTogether:
    async def test_each_process_delivers_changes_of_the_other(self, world: World, pair: tuple[Served, Served]):
        """A change at one process is a frame from the other, both ways."""
        token = await world.signed_in(pair[0], await world.a_user(pair[0]))
        for writer, reader in (pair, pair[::-1]):
            async with listening(world, reader, token) as socket:
                await create(world, writer, token, "Across")

                assert await title(socket) == "Across"

    async def test_a_sign_out_applies_to_all_processes(self, world: World, pair: tuple[Served, Served]):
        """The socket at the other process is closed, and the token is refused there."""
        here, there = pair
        name = await world.a_user(here)
        token, other = await world.signed_in(here, name), await world.signed_in(there, name)
        async with listening(world, there, token) as socket, listening(world, there, other) as spared:
            (await world.ask(here, LOGOUT, token)).payload("logout")
            async with asyncio.timeout(HANG_SECONDS):
                assert (await socket.closed())[0] == 4403
            await refused(world, there, token)

            await create(world, here, other, "Still here")
            assert await title(spared) == "Still here"


class TestRivals:
    async def test_concurrent_changes_have_one_order(self, world: World, pair: tuple[Served, Served]):
        """Acknowledged changes of the same tasks through both processes happen once, in one order that both deliver."""
        token = await world.signed_in(pair[0], await world.a_user(pair[0]))
        tasks = [(await world.ask(pair[0], CREATE, token, input={"title": "Wanted"})) for _ in range(7)]
        last, *ids = [str(answer.payload("createTask")["task"]["id"]) for answer in tasks]
        doomed, kept = ids[:2], ids[2:]
        async with AsyncExitStack() as stack:
            sockets = [await stack.enter_async_context(listening(world, each, token, MOVES)) for each in pair]
            rivals = [Rival(world, each, token, ids, number) for number, each in enumerate([*pair, *pair, *pair])]
            await asyncio.gather(*(rival.work() for rival in rivals), *(rivals[0].delete(each) for each in doomed))
            await rivals[0].move(last, "DONE")
            received = [await moves_until(last, socket) for socket in sockets]
        histories = {task: await history(world, pair[1], token, task) for task in kept}

        assert sorted(task for rival in rivals for task in rival.deleted) == sorted(doomed)
        for task, entries in histories.items():
            moves = {(version, to) for rival in rivals for moved, version, to in rival.moved if moved == task}
            edits = [version for rival in rivals for edited, version in rival.edited if edited == task]
            after = [(entry["version"], entry["to"]) for entry in entries]
            happened = [(entry["version"], entry["to"]) for entry in entries if entry["changes"] == ["STATUS"]]
            assert [version for version, _ in after] == list(range(1, len(entries) + 1))
            assert all(one["to"] == other["from"] for one, other in pairwise(entries))
            assert sorted(edits) == [entry["version"] for entry in entries if entry["changes"] == ["TITLE"]]
            assert set(happened) <= moves <= set(after)  # a task that is there already is moved for nothing
            for observed in received:
                assert [to for moved, _, to in observed if moved == task] == [to for _, to in happened]
        # The items of a deleted task depend on the time of the deletion.
        assert [move for move in received[0] if move[0] in kept] == [move for move in received[1] if move[0] in kept]


class TestDeath:
    async def test_acknowledged_changes_survive_a_kill(self, serve: Serve, world: World, pair: tuple[Served, Served]):
        """The events of a killed process are delivered by another one."""
        dying, survivor = await serve().ready(), pair[1]
        token = await world.signed_in(survivor, await world.a_user(survivor))
        acknowledged: list[str] = []

        async def write(name: str) -> None:
            await create(world, dying, token, name)
            acknowledged.append(name)
            dying.send(signal.SIGKILL)

        async with listening(world, survivor, token) as socket:
            await asyncio.gather(*(write(f"Last words {number}") for number in range(8)), return_exceptions=True)
            received: set[str] = set()
            while not received >= set(acknowledged):
                received.add(await title(socket))

        assert acknowledged
        assert await dying.ended(5) == -signal.SIGKILL


class TestWorkers:
    async def test_two_workers_are_one_server(self, serve: Serve, world: World):
        """With WORKERS=2 every socket receives every change, a sign-out closes all of them, and Ctrl-C ends both in
        order.
        """
        server = await serve(WORKERS=2).ready()
        token = await world.signed_in(server, await world.a_user(server))
        async with AsyncExitStack() as sockets:
            listeners = [await sockets.enter_async_context(listening(world, server, token)) for _ in range(8)]
            await create(world, server, token, "To all")
            assert [await title(each) for each in listeners] == ["To all"] * 8

            (await world.ask(server, LOGOUT, token)).payload("logout")
            async with asyncio.timeout(HANG_SECONDS):
                assert {(await each.closed())[0] for each in listeners} == {4403}
        workers = server.family()
        server.send(signal.SIGINT, group=True)

        assert await server.ended() == 0
        assert survivors(workers) == []
        assert "Traceback" not in server.err

    async def test_workers_leave_when_their_supervisor_is_killed(self, serve: Serve, world: World):
        """They close their sockets and free the port, as on SIGTERM."""
        server = await serve(WORKERS=2, SHUTDOWN_SECONDS=5).ready()
        token = await world.signed_in(server, await world.a_user(server))
        async with listening(world, server, token) as socket:
            family = server.family()
            server.send(signal.SIGKILL)
            async with asyncio.timeout(HANG_SECONDS):
                assert (await socket.closed())[0] == 1012

        assert len(family) > 2
        assert survivors(family) == []


class TestLeaving:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    async def test_an_orderly_shutdown(self, serve: Serve, world: World, number: int):
        """Readiness fails, sockets are closed, and the process ends in time."""
        server = await serve(SHUTDOWN_SECONDS=5).ready()
        token = await world.signed_in(server, await world.a_user(server))
        async with listening(world, server, token) as socket:
            server.send(number)
            code, _ = await socket.closed()
            assert not await self._is_ready(server)

        assert code == 1012
        assert await server.ended() == 0
        assert "Traceback" not in server.err

    async def test_a_running_request_is_answered_during_shutdown(self, serve: Serve, world: World):
        """A request that runs when the signal arrives."""
        server = await serve(SHUTDOWN_SECONDS=60).ready()
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        body = b'{"query": "{ __typename }"}'
        writer.write(
            b"POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n"
            b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
        )
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        server.send(signal.SIGTERM)
        while await self._is_ready(server):
            await asyncio.sleep(0.01)
        writer.write(body)

        assert b'"__typename":"Query"' in await reader.read()
        writer.close()
        assert await server.ended() == 0

    async def _is_ready(self, server: Served) -> bool:
        try:
            async with httpx.AsyncClient(timeout=HANG_SECONDS) as client:
                return (await client.get(f"{server.url}/readyz", timeout=2)).status_code == 200
        except httpx.TransportError:
            return False
