"""Many hands that number at once: one that freezes in the middle, writers that overlap, give up, or never end."""

import asyncio
import os
import random
import signal
import socket
import sys
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

from sqlalchemy import text

from domain.actor import Actor
from domain.errors import Unavailable
from domain.events import LoggedEvent, People, TaskEvent
from domain.user import Role
from persistence.database import Database
from persistence.models import TaskRow
from tests.streaming.support import a_task_event, an_actor
from tests.support.builders import Builders
from tests.support.transactions import flush, lock_row
from tests.support.waiting import HANG_SECONDS

ADMIN = an_actor(Role.ADMIN)

_NUMBERER = """
import asyncio, os, signal, sys
from persistence.database import Database

async def number():
    database = Database(sys.argv[1], pool_size=1)
    while True:
        print("ready", flush=True)
        steps = sys.stdin.readline()
        if not steps:
            break
        async with database.log() as log:
            numbering = asyncio.create_task(log.number())
            for _ in range(int(steps)):
                await asyncio.sleep(0)
            if int(steps) >= 0:
                os.kill(os.getpid(), signal.SIGSTOP)
            await numbering
    await database.close()

asyncio.run(number())
"""


class Numberer:
    """A process that numbers on request, and can stop in the middle."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    @asynccontextmanager
    async def started(cls, build: Builders) -> AsyncIterator["Numberer"]:
        """A process that is ready."""
        url = build.database.engine.url.render_as_string(hide_password=False)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _NUMBERER, url, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        numberer = cls(process)
        try:
            await numberer.is_ready()
            yield numberer
        finally:
            process.kill()
            await process.communicate()

    async def is_ready(self) -> None:
        """Wait until it has numbered."""
        assert self._process.stdout is not None
        async with asyncio.timeout(HANG_SECONDS):
            assert await self._process.stdout.readline() == b"ready\n"

    async def begin(self, steps: int) -> None:
        """Have it number; after so many steps of its loop it freezes, if they are not negative."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"%d\n" % steps)
        await self._process.stdin.drain()

    def wake(self) -> None:
        """Let it go on."""
        os.kill(self._process.pid, signal.SIGCONT)

    async def is_frozen(self) -> None:
        """Wait until it has stopped itself."""
        async with asyncio.timeout(HANG_SECONDS):
            while not self._has_stopped():
                await asyncio.sleep(0.005)

    def _has_stopped(self) -> bool:
        return os.waitpid(self._process.pid, os.WUNTRACED | os.WNOHANG) != (0, 0)


async def record(build: Builders, many: int, *, title: str = "x") -> None:
    """Commit events, in one transaction."""
    people = People(uuid4(), None)
    async with build.as_(None) as uow:
        for _ in range(many):
            uow.record(a_task_event(title=title, before=people, after=people))
        await uow.commit()


async def number(build: Builders) -> None:
    """Number everything; fail on a lock."""
    async with asyncio.timeout(HANG_SECONDS), build.database.log() as log:
        while (await log.number()).events:
            pass


async def number_when_answered(build: Builders) -> None:
    """Number everything, after writes that were cancelled: until the server has answered these, it accepts none."""
    async with asyncio.timeout(HANG_SECONDS):
        while True:
            try:
                return await number(build)
            except Unavailable:
                await asyncio.sleep(0.05)


async def is_numbered(build: Builders) -> None:
    """Wait until every event has a position."""
    async with asyncio.timeout(HANG_SECONDS):
        while await is_pending(build):
            await asyncio.sleep(0.005)


async def is_pending(build: Builders) -> bool:
    """Whether something has no position yet."""
    async with build.database.log() as log:
        return (await log.head()).pending


async def whole_log(build: Builders) -> list[LoggedEvent]:
    """All numbered events; there must be no others."""
    assert not await is_pending(build)
    async with build.database.log() as log:
        return await log.after(0, at_most=10_000)


def is_dense(log: list[LoggedEvent], many: int) -> bool:
    """Whether so many events have the positions 1, 2, 3 …"""
    return [logged.position for logged in log] == list(range(1, many + 1))


class Deaf:
    """Between a process and its database: a peer with small packets and buffers that may stop reading."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self.reads = asyncio.Event()
        self.reads.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        there = socket.socket()
        there.setblocking(False)
        there.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        there.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)  # as of a network, and not of loopback
        await asyncio.get_running_loop().sock_connect(there, self._address)
        ways = [asyncio.create_task(self._up(reader, there)), asyncio.create_task(self._down(there, writer))]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        there.close()
        writer.close()

    async def _up(self, reader: asyncio.StreamReader, there: socket.socket) -> None:
        while sent := await reader.read(65_536):
            await asyncio.get_running_loop().sock_sendall(there, sent)

    async def _down(self, there: socket.socket, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        await self.reads.wait()
        while data := await loop.sock_recv(there, 2_048):
            writer.write(data)
            await self.reads.wait()


class TestFrozen:
    async def test_a_stopped_process_does_not_block_numbering(self, build: Builders):
        """Before, in or after the call it holds no lock: another process numbers all events, once and without gaps."""
        async with Numberer.started(build) as frozen:
            for steps in (0, 1, 2, 3, 5, 8):
                await record(build, 500, title="x" * 200)
                await frozen.begin(steps)
                await frozen.is_frozen()
                await record(build, 10)
                await number(build)
                frozen.wake()
                await frozen.is_ready()

        assert is_dense(await whole_log(build), 6 * 510)

    async def test_a_client_that_does_not_read_does_not_block_numbering(self, build: Builders):
        """The response fits into the buffers of its connection."""
        url = build.database.engine.url
        assert url.host is not None
        assert url.port is not None
        line = Deaf(url.host, url.port)
        server = await asyncio.start_server(line.serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        far = Database(url.set(port=port).render_as_string(hide_password=False), pool_size=1)
        await record(build, 500, title="💥" * 200)
        async with far.log() as log:
            await log.number(at_most=1)
            line.reads.clear()
            numbering = asyncio.create_task(log.number())
            await is_numbered(build)
            await record(build, 1)
            await number(build)
            line.reads.set()
            batch = await numbering
        await far.close()
        server.close()

        assert is_dense(await whole_log(build), 501)
        assert [logged.position for logged in batch.events] == list(range(2, 501))


class TestForeignTransactions:
    async def test_an_open_transaction_does_not_block_numbering(self, build: Builders):
        """With and without an event of its own."""
        async with build.as_(ADMIN) as first, build.database.engine.connect() as reader:
            await reader.execution_options(isolation_level="REPEATABLE READ")
            await reader.execute(text("SELECT count(*) FROM events, event_head"))
            first.record(a_task_event(version=1))
            await flush(first)
            for many in (1, 50, 1):
                await record(build, many)
                await number(build)
            assert is_dense(await whole_log(build), 52)
            await first.commit()
        await number(build)

        log = await whole_log(build)
        assert is_dense(log, 53)
        assert isinstance(log[-1].event, TaskEvent)
        assert log[-1].event.version == 1

    async def test_rolled_back_events_leave_no_hole(self, build: Builders):
        """Of a hundred transactions half are given up: positions are dense all the same, while they come and after."""
        for each in range(100):
            async with build.as_(ADMIN) as uow:
                uow.record(a_task_event(version=each))
                await flush(uow)
                if each % 2:
                    await uow.commit()
            if each % 7 == 0:
                await number(build)
        await number(build)

        log = await whole_log(build)
        assert is_dense(log, 50)
        assert [logged.event.version for logged in log if isinstance(logged.event, TaskEvent)] == list(range(1, 100, 2))


WRITERS, CHANGES, HOT_TASKS = 8, 50, 3


async def change(build: Builders, actor: Actor, task_id: UUID, chance: random.Random) -> bool:
    """One more version of a task, or almost; whether it was committed."""
    give_up = chance.random() < 0.2
    async with build.as_(actor) as uow:
        task = await lock_row(uow, TaskRow, task_id)
        uow.change(task, version=task.version + 1)
        uow.record(a_task_event(version=task.version, task_id=task.id))
        await flush(uow)
        if chance.random() < 0.2:
            await asyncio.sleep(chance.random() / 100)
        if not give_up:
            await uow.commit()
    return not give_up


async def write(build: Builders, tasks: list[UUID], seed: int) -> int:
    """Change hot tasks; returns how many changes were committed."""
    chance = random.Random(seed)
    return sum([await change(build, ADMIN, chance.choice(tasks), chance) for _ in range(CHANGES)])


async def number_on(build: Builders, batches: list[LoggedEvent], at_most: int) -> None:
    """Number small batches as fast as may be, and keep them."""
    while True:
        try:
            async with build.database.log() as log:
                batches += (await log.number(at_most)).events
        except Unavailable:
            pass
        await asyncio.sleep(0.002)


async def freeze_on(numberer: Numberer, chance: random.Random) -> None:
    """Have a process number and freeze in it, over and over."""
    while True:
        await numberer.begin(chance.randrange(9))
        await numberer.is_frozen()
        await asyncio.sleep(chance.random() / 50)
        numberer.wake()
        await numberer.is_ready()


class TestRivals:
    async def test_nothing_is_lost_doubled_or_out_of_order(self, build: Builders):
        """Eight concurrent writers on three tasks, three numbering processes and a frozen one."""
        tasks = [(await build.a_task()).id for _ in range(HOT_TASKS)]
        batches: list[LoggedEvent] = []
        async with Numberer.started(build) as frozen:
            hands = [asyncio.create_task(number_on(build, batches, at_most)) for at_most in (1, 7, 500)]
            hands.append(asyncio.create_task(freeze_on(frozen, random.Random(1))))
            work = [write(build, tasks, each) for each in range(WRITERS)]
            committed = sum(await asyncio.gather(*work))
            for hand in hands:
                hand.cancel()
            await asyncio.gather(*hands, return_exceptions=True)
        await number_when_answered(build)

        log = await whole_log(build)
        versions: dict[UUID, list[int]] = defaultdict(list)
        for logged in log:
            assert isinstance(logged.event, TaskEvent)
            versions[logged.event.task_id].append(logged.event.version)
        assert is_dense(log, committed)
        assert len({logged.position for logged in batches}) == len(batches)
        assert all(each == list(range(2, len(each) + 2)) for each in versions.values())
