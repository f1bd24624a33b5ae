"""Peers that read nothing, vanish, or are very many: they are let go of, and others do not notice."""

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
    """The API over the network, with a second for each frame to leave."""
    usual = api.server.timing, api.server.event_timing
    api.server.timing, api.server.event_timing = StreamTiming(send=DEADLINE, ping=60), StreamTiming(send=DEADLINE)
    async with serving(api.server.asgi()) as url, httpx.AsyncClient(base_url=url, timeout=HANG_SECONDS) as client:
        yield Api(api.server, api.build, client, api.tokens)
    api.server.timing, api.server.event_timing = usual


@pytest.fixture
async def busy(live: Api) -> tuple[UserRow, TaskRow]:
    """Somebody with a task of which there is much to tell."""
    owner = await live.a_user()
    return owner, await live.build.a_task(owner, description="💥" * 9_000)


async def happen(api: Api, task: TaskRow, many: int) -> None:
    """Many events of a task, all committed at once."""
    people = People(task.owner_id, task.assignee_id)
    event = a_task_event(task_id=task.id, before=people, after=people)
    async with api.build.as_(None) as uow:
        for number in range(many):
            uow.record(replace(event, version=number + 2))
        await uow.commit()


def open_files() -> int:
    """How many descriptors this process has."""
    return sum(1 for _ in Path("/proc/self/fd" if sys.platform == "linux" else "/dev/fd").iterdir())


class TestPeersThatReadNothing:
    async def test_a_socket_is_let_go_of(self, live: Api, busy: tuple[UserRow, TaskRow]):
        """When its frames do not leave in time, its place and its subscription are given back, and it is cut off."""
        owner, task = busy
        async with signed_in(live, owner, compression=None, max_queue=1, sock=narrow(live)) as deaf:
            await deaf.listen(BIG)
            deaf.socket.connection.transport.pause_reading()
            await happen(live, task, 200)
            await until(lambda: live.server.stream.subscribers == 0, PATIENCE)
            await until(lambda: live.server.connections.count == 0, PATIENCE)

    async def test_an_event_stream_is_let_go_of(self, live: Api, busy: tuple[UserRow, TaskRow]):
        """The same, over SSE."""
        owner, task = busy
        with narrow(live) as deaf:
            await self._listen(live, deaf, owner)
            await happen(live, task, 200)
            await until(lambda: live.server.connections.count == 0, PATIENCE)
            await until(lambda: self._is_cut_off(deaf), PATIENCE)
        assert live.server.stream.subscribers == 0

    async def test_others_are_not_delayed(self, live: Api, busy: tuple[UserRow, TaskRow]):
        """Ten that read nothing beside one that does: whatever happens arrives there."""
        owner, task = busy
        quick = await live.a_user()
        mine = await live.build.a_task(quick)
        async with a_deaf_crowd(live, owner, 10), signed_in(live, quick) as listener:
            await listener.listen(SMALL)
            await happen(live, task, 100)
            for _ in range(20):
                await happen(live, mine, 1)
                await listener.hear()

    async def test_memory_stays_flat(self, live: Api, busy: tuple[UserRow, TaskRow], monkeypatch: pytest.MonkeyPatch):
        """Thousands of events, megabytes each way, while one reads nothing: what waits for it is bounded."""
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

    async def _listen(self, api: Api, connection: socket.socket, who: UserRow) -> None:
        body = json.dumps({"query": BIG})
        head = (
            f"POST /graphql HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\ncontent-type: application/json\r\n"
            f"authorization: Bearer {await api.token(who)}\r\ncontent-length: {len(body)}\r\n\r\n"
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


async def connect(api: Api, who: UserRow, **options: Any) -> Socket:
    """A signed-in socket that nobody closes in good order."""
    url = str(api.client.base_url).replace("http", "ws", 1).rstrip("/") + "/graphql"
    options |= {
        "subprotocols": [SUBPROTOCOL],
        "compression": None,
        "ping_interval": None,
        "open_timeout": HANG_SECONDS,
        "close_timeout": 1,
    }
    opened = Socket(await websockets.connect(url, **options))
    await opened.init({"token": await api.token(who)})
    return opened


@asynccontextmanager
async def a_deaf_crowd(api: Api, who: UserRow, many: int) -> AsyncIterator[list[Socket]]:
    """Sockets that subscribe and then read nothing; cut in the end."""
    deaf = [await connect(api, who, sock=narrow(api), max_queue=1) for _ in range(many)]
    for each in deaf:
        await Listener(api, each).listen(BIG)
        each.connection.transport.pause_reading()
    yield deaf
    for each in deaf:
        each.connection.transport.abort()
    await until(lambda: api.server.stream.subscribers == 0, PATIENCE)


class TestCrowds:
    async def test_what_breaks_off_leaves_nothing(self, live: Api, monkeypatch: pytest.MonkeyPatch):
        """500 sockets, cut in the middle of what they are told: tasks, places and descriptors are as they were."""
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
        """500 subscribed sockets of a server process of its own: at most 70 kB each."""
        url = new_database()
        redis_url = new_redis()
        async with a_world(url, redis_url) as world:
            assert await idle.measure(url, redis_url, world, 500) < 70_000


async def gathered(api: Api, who: UserRow, many: int) -> list[Socket]:
    """Many subscribed sockets."""
    sockets: list[Socket] = []
    for start in range(0, many, 50):
        some = await asyncio.gather(*(connect(api, who) for _ in range(min(50, many - start))))
        for each in some:
            await each.subscribe("1", SMALL)
        sockets += some
    await until(lambda: api.server.stream.subscribers == many, PATIENCE)
    return sockets


async def cut(api: Api, sockets: list[Socket]) -> None:
    """Every one of them is gone without a word."""
    for each in sockets:
        each.connection.transport.abort()
    await until(lambda: api.server.stream.subscribers == api.server.connections.count == 0, PATIENCE)
    for each in sockets:
        with suppress(Exception):
            await each.connection.wait_closed()


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="only Linux has it")
def test_the_kernel_watches_over_dead_peers():
    """Who listens for us hands its options on: a peer that vanished is noticed within half a minute."""
    settings = settings_of("postgresql://x", "redis://x").model_copy(update={"port": 0})
    with product.listen(settings) as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            timeout = accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
            keep_idle = accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
    assert (timeout, keep_idle) == (20_000, 10)
