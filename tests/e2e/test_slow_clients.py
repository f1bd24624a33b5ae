"""Clients that read nothing, disappear, or are very many: their resources are freed, and other clients are not
affected.
"""

import asyncio
import gc
import json
import resource
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets

from asgi.streaming_session import StreamTiming
from benchmarks import idle
from benchmarks.stream_scenario import a_world
from domain.events import People
from persistence.models import TaskRow, UserRow
from server import runner as product
from streaming.subscription_queue import CAPACITY
from tests.graphql_api.stream_client import Listener, narrow, signed_in
from tests.streaming.support import a_task_event, until
from tests.support.api import Api
from tests.support.api_server import an_api, settings_of
from tests.support.serving import serving
from tests.support.waiting import HANG_SECONDS
from tests.support.websocket_client import SUBPROTOCOL, Socket

BIG = "subscription { taskChanged { cursor task { id a: description b: description c: description } } }"
SMALL = "subscription { taskChanged { cursor } }"
DEADLINE = 1.0
PATIENCE = HANG_SECONDS


@pytest.fixture(scope="module")
async def api(new_database: Callable[[], str], new_redis: Callable[[], str]) -> AsyncIterator[Api]:
    """An API of this module, whose sockets, tasks and files are counted."""
    async with an_api(new_database(), new_redis()) as api:
        yield api


@pytest.fixture(scope="module")
async def live(api: Api) -> AsyncIterator[Api]:
    """The API over the network, with a time-out of one second for each frame."""
    usual = api.server.timing, api.server.event_timing
    api.server.timing, api.server.event_timing = StreamTiming(send=DEADLINE, ping=60), StreamTiming(send=DEADLINE)
    async with serving(api.server.asgi()) as url, httpx.AsyncClient(base_url=url, timeout=HANG_SECONDS) as client:
        yield Api(api.server, api.build, client, api.tokens)
    api.server.timing, api.server.event_timing = usual


@pytest.fixture
async def busy(live: Api) -> tuple[UserRow, TaskRow]:
    """A user with a task that has many events."""
    owner = await live.a_user()
    return owner, await live.build.a_task(owner, description="💥" * 9_000)


async def happen(api: Api, task: TaskRow, many: int) -> None:
    """Commit many events of a task at once."""
    people = People(task.owner_id, task.assignee_id)
    event = a_task_event(task_id=task.id, before=people, after=people)
    async with api.build.as_(None) as uow:
        for number in range(many):
            uow.record(replace(event, version=number + 2))
        await uow.commit()


def open_files() -> int:
    """The number of descriptors of this process."""
    return sum(1 for _ in Path("/proc/self/fd" if sys.platform == "linux" else "/dev/fd").iterdir())


class TestPeersThatReadNothing:
    async def test_a_socket_that_does_not_read_is_closed(self, live: Api, busy: tuple[UserRow, TaskRow]):
        """When its frames time out, its place and its subscription are freed."""
        owner, task = busy
        async with signed_in(live, owner, compression=None, max_queue=1, sock=narrow(live)) as deaf:
            await deaf.listen(BIG)
            deaf.socket.connection.transport.pause_reading()
            await happen(live, task, 200)
            await until(lambda: live.server.stream.subscribers == 0, PATIENCE)
            await until(lambda: live.server.connections.count == 0, PATIENCE)

    async def test_an_event_stream_that_does_not_read_is_closed(self, live: Api, busy: tuple[UserRow, TaskRow]):
        """The same over SSE."""
        owner, task = busy
        with narrow(live) as deaf:
            await self._listen(live, deaf, owner)
            await happen(live, task, 200)
            await until(lambda: live.server.connections.count == 0, PATIENCE)
            await until(lambda: self._is_cut_off(deaf), PATIENCE)
        assert live.server.stream.subscribers == 0

    async def test_slow_clients_do_not_delay_others(self, live: Api, busy: tuple[UserRow, TaskRow]):
        """One client reads, ten do not: all events reach it."""
        owner, task = busy
        quick = await live.a_user()
        mine = await live.build.a_task(quick)
        async with clients_that_do_not_read(live, owner, 10), signed_in(live, quick) as listener:
            await listener.listen(SMALL)
            await happen(live, task, 100)
            for _ in range(20):
                await happen(live, mine, 1)
                await listener.receive()

    async def test_memory_stays_flat(self, live: Api, busy: tuple[UserRow, TaskRow], monkeypatch: pytest.MonkeyPatch):
        """Thousands of events, megabytes each way, for a client that does not read: its queue is bounded."""
        owner, task = busy
        monkeypatch.setattr(live.server, "timing", StreamTiming(send=60, ping=60))
        async with serving(live.server.asgi()) as url:
            patient = Api(live.server, live.build, httpx.AsyncClient(base_url=url, timeout=HANG_SECONDS), live.tokens)
            deaf = await connect(patient, owner, sock=narrow(patient), max_queue=1)
            await Listener(patient, deaf).listen(BIG)
            deaf.connection.transport.pause_reading()
            await happen(live, task, 300)
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            start = live.server.stream.position
            await happen(live, task, 5_000)
            await until(lambda: live.server.stream.position >= start + 4_000, PATIENCE)
            assert live.server.stream.queued <= CAPACITY
            assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40 * 1024
            deaf.connection.transport.abort()
            await patient.client.aclose()
        await until(lambda: live.server.stream.subscribers == 0, PATIENCE)

    async def _listen(self, api: Api, connection: socket.socket, user: UserRow) -> None:
        body = json.dumps({"query": BIG})
        head = (
            f"POST /graphql HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\ncontent-type: application/json\r\n"
            f"authorization: Bearer {await api.token(user)}\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        await asyncio.get_running_loop().sock_sendall(connection, (head + body).encode())
        await until(lambda: api.server.stream.subscribers == 1)

    def _is_cut_off(self, connection: socket.socket) -> bool:
        try:
            return connection.recv(65_536) == b""
        except BlockingIOError:
            return False
        except ConnectionError:
            return True


async def connect(api: Api, user: UserRow, **options: Any) -> Socket:
    """A signed-in socket that is never closed in order."""
    url = str(api.client.base_url).replace("http", "ws", 1).rstrip("/") + "/graphql"
    options |= {
        "subprotocols": [SUBPROTOCOL],
        "compression": None,
        "ping_interval": None,
        "open_timeout": HANG_SECONDS,
        "close_timeout": 1,
    }
    opened = Socket(await websockets.connect(url, **options))
    await opened.init({"token": await api.token(user)})
    return opened


@asynccontextmanager
async def clients_that_do_not_read(api: Api, user: UserRow, many: int) -> AsyncIterator[list[Socket]]:
    """Sockets that subscribe and then read nothing; reset at the end."""
    deaf = [await connect(api, user, sock=narrow(api), max_queue=1) for _ in range(many)]
    for each in deaf:
        await Listener(api, each).listen(BIG)
        each.connection.transport.pause_reading()
    yield deaf
    for each in deaf:
        each.connection.transport.abort()
    await until(lambda: api.server.stream.subscribers == 0, PATIENCE)


class TestManySubscribers:
    async def test_reset_sockets_leave_nothing(self, live: Api, monkeypatch: pytest.MonkeyPatch):
        """500 sockets are reset during a delivery: tasks, places and descriptors are as before."""
        owner = await live.a_user()
        task = await live.build.a_task(owner)
        registry = live.server.connections
        monkeypatch.setattr(registry, "_per_user", 1_000)
        monkeypatch.setattr(registry, "_per_address", 1_000)
        await cut(live, await gathered(live, owner, 5))
        gc.collect()
        tasks, files = len(asyncio.all_tasks()), open_files()

        sockets = await gathered(live, owner, 500)
        assert (registry.count, live.server.stream.subscribers) == (500, 500)
        await happen(live, task, 20)
        await cut(live, sockets)

        assert registry.count == live.server.stream.queued == 0
        await until(lambda: len(asyncio.all_tasks()) <= tasks + 2, PATIENCE)
        await until(lambda: open_files() <= files + 5, PATIENCE)

    async def test_an_idle_socket_is_small(self, new_database: Callable[[], str], new_redis: Callable[[], str]):
        """500 subscribed sockets of a separate server process: at most 70 kB each."""
        url = new_database()
        redis_url = new_redis()
        async with a_world(url, redis_url) as world:
            assert await idle.measure(url, redis_url, world, 500) < 70_000


async def gathered(api: Api, user: UserRow, many: int) -> list[Socket]:
    """Many subscribed sockets."""
    sockets: list[Socket] = []
    for start in range(0, many, 50):
        some = await asyncio.gather(*(connect(api, user) for _ in range(min(50, many - start))))
        for each in some:
            await each.subscribe("1", SMALL)
        sockets += some
    await until(lambda: api.server.stream.subscribers == many, PATIENCE)
    return sockets


async def cut(api: Api, sockets: list[Socket]) -> None:
    """All are reset."""
    for each in sockets:
        each.connection.transport.abort()
    await until(lambda: api.server.stream.subscribers == api.server.connections.count == 0, PATIENCE)
    for each in sockets:
        with suppress(Exception):
            await each.connection.wait_closed()


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="only Linux has it")
def test_the_kernel_detects_dead_peers():
    """Sockets inherit the keep-alive options of the listening socket: a dead peer is detected within 30 seconds."""
    settings = settings_of("postgresql://x", "redis://x").model_copy(update={"port": 0})
    with product.listen(settings) as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            timeout = accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
            keep_idle = accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
    assert (timeout, keep_idle) == (20_000, 10)
