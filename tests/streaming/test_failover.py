"""A standby of a real PostgreSQL is promoted: who has to load the lists again, and who has not."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import make_url, text

from domain.errors import Unavailable
from domain.stream_cursor import StreamCursor
from domain.user import Role
from persistence import migrations
from persistence.database import Database
from persistence.write_set import send
from streaming.stream_items import Resync, ResyncReason
from streaming.subscription import Subscriber
from tests.chaos.proxy import Proxy
from tests.streaming.support import Process, a_task_event, an_actor, receive, receive_event, receive_resync, until
from tests.support.replication import Primary, Standby

ADMIN = an_actor(Role.ADMIN)


@dataclass
class Cluster:
    """Two servers, the proxy that leads to the primary, and processes of the API."""

    primary: Primary
    standby: Standby
    proxy: Proxy
    redis: str
    channel: str = field(default_factory=lambda: f"test:{uuid4()}")
    processes: list[Process] = field(default_factory=list)

    async def start(self) -> Process:
        """Start a process, and wait until it has read the log."""
        url = make_url(self.primary.url).set(port=self.proxy.port).render_as_string(hide_password=False)
        process = Process(url, self.redis, self.channel)
        self.processes.append(process)
        await process.stream.start()
        await until(lambda: process.stream.epoch)
        return process

    async def remembers(self, *, synchronous: bool) -> None:
        """Wait until the log remembers whether commits wait for the standby."""
        async with self.processes[0].database.connect() as connection:
            while await connection.scalar(text("SELECT synchronous FROM log_state")) is not synchronous:
                await connection.rollback()

    def fail_over(self) -> None:
        """Kill the primary, and promote the standby."""
        self.primary.kill()
        self.standby.promote()
        self.proxy.lead_to(self.standby.port)
        self.proxy.cut()


@pytest.fixture(params=[True], ids=["synchronous"])
def servers(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Primary, Standby]]:
    """A primary and its standby, with an empty database of Taskriver."""
    with Primary(tmp_path / "primary", synchronous=request.param) as primary, ExitStack() as stack:
        standby = stack.enter_context(Standby(tmp_path / "standby", primary))
        primary.wait_for_standby()
        yield primary, standby


@pytest.fixture
async def cluster(servers: tuple[Primary, Standby], redis_url: str) -> AsyncIterator[Cluster]:
    """The servers behind a proxy."""
    primary, standby = servers
    database = Database(primary.url, pool_size=1, no_timeouts=True)
    await migrations.upgrade(database.engine)
    await database.close()
    async with Proxy(primary.port) as proxy:
        cluster = Cluster(primary, standby, proxy, redis_url)
        yield cluster
        for process in cluster.processes:
            await process.stop()


without_waiting = pytest.mark.parametrize("servers", [False], indirect=True, ids=["asynchronous"])


async def record(process: Process, number: int) -> None:
    """Record events as soon as the database takes them, and wait until the process has delivered them."""
    position = process.stream.position
    for _ in range(number):
        await recorded(process)
    await process.reaches(position + number)


async def recorded(process: Process) -> None:
    """Record one event; after a failover, as soon as possible."""
    while True:
        try:
            return await process.record(a_task_event())
        except Unavailable:
            pass


async def record_without_standby(process: Process, disconnect: Callable[[], None]) -> None:
    """Record and number an event in a transaction that does not wait for the standby, which gets no changes any more.

    The transaction locks the numbering before: a process that numbers would keep the lock until the standby answers.
    """
    async with process.build.as_(None) as uow:
        await uow.transaction.begin()
        await uow.transaction.fetch("SET LOCAL synchronous_commit = local")
        await uow.transaction.fetch("SELECT 1 FROM log_state FOR UPDATE")
        disconnect()
        uow.record(a_task_event())
        await send(uow.transaction, uow.write_set, {})
        await uow.events.number()
        await uow.transaction.commit()


class TestNothingIsLost:
    async def test_subscribers_continue(self, cluster: Cluster):
        """Live in both processes, and with a cursor from before. The epoch stays."""
        one, other = await cluster.start(), await cluster.start()
        await cluster.remembers(synchronous=True)
        subscribers = [each.stream.subscribe(ADMIN, None, None) for each in (one, other)]
        await record(one, 5)
        before = [(await received(each, 5))[-1] for each in subscribers]
        epoch = one.stream.epoch
        cluster.fail_over()
        await record(one, 3)

        for subscriber in subscribers:
            assert len(await received(subscriber, 3)) == 3
        async with other.stream.subscribe(ADMIN, None, before[0]) as late:
            assert len(await received(late, 3)) == 3
        assert {each.stream.epoch for each in cluster.processes} == {epoch}

    async def test_a_cursor_without_a_fingerprint_is_not_valid_any_more(self, cluster: Cluster):
        """Nothing proves that the standby has its event. A new one, from after the promotion, is valid."""
        process = await cluster.start()
        await cluster.remembers(synchronous=True)
        await record(process, 5)
        old = StreamCursor(process.stream.epoch, 3, ADMIN.access_version).encode()
        epoch = process.stream.epoch
        cluster.fail_over()
        await record(process, 1)
        await until(lambda: process.stream._log_reader.tail.promoted)

        async with process.stream.subscribe(ADMIN, None, old) as subscriber:
            assert (await receive_resync(subscriber)).reason is ResyncReason.EPOCH
        assert process.stream.epoch == epoch
        tail = process.stream._log_reader.tail
        new = StreamCursor(f"{epoch}@{tail.promoted}", tail.dispatched - 1, ADMIN.access_version).encode()
        async with process.stream.subscribe(ADMIN, None, new) as subscriber:
            await receive_event(subscriber)

    async def test_several_failovers(self, cluster: Cluster, tmp_path: Path):
        """The first standby gets a standby of its own, which is promoted later."""
        process = await cluster.start()
        await cluster.remembers(synchronous=True)
        subscriber = process.stream.subscribe(ADMIN, None, None)
        epoch = process.stream.epoch
        cluster.fail_over()
        await record(process, 2)
        with Standby(tmp_path / "second", cluster.standby) as second:
            cluster.standby.wait_for_standby()
            await cluster.remembers(synchronous=True)
            cluster.primary, cluster.standby = cluster.standby, second
            await record(process, 2)
            cluster.fail_over()
            await record(process, 2)

            assert len(await received(subscriber, 6)) == 6
            assert process.stream.epoch == epoch


class TestChangesCanBeLost:
    @without_waiting
    async def test_everyone_loads_again_if_commits_did_not_wait(self, cluster: Cluster):
        """Also if the standby happens to have every event."""
        one, other = await cluster.start(), await cluster.start()
        subscribers = [each.stream.subscribe(ADMIN, None, None) for each in (one, other)]
        await record(one, 2)
        for each in subscribers:
            await received(each, 2)
        cluster.fail_over()
        await recorded(one)

        for each in subscribers:
            assert (await receive_resync(each)).reason is ResyncReason.EPOCH
        assert one.stream.epoch == other.stream.epoch

    async def test_everyone_loads_again_if_the_standby_lacks_an_event(self, cluster: Cluster):
        """Commits wait, but one did not: the process delivers an event that the standby lacks."""
        process = await cluster.start()
        await cluster.remembers(synchronous=True)
        await record(process, 2)
        subscriber = process.stream.subscribe(ADMIN, None, None)
        await record_without_standby(process, cluster.standby.disconnect)
        await receive_event(subscriber)
        cluster.fail_over()
        await recorded(process)

        assert (await receive_resync(subscriber)).reason is ResyncReason.EPOCH

    async def test_everyone_loads_again_if_no_process_was_a_witness(self, cluster: Cluster):
        """All processes were stopped during the failover."""
        process = await cluster.start()
        await cluster.remembers(synchronous=True)
        await record(process, 2)
        cursor = process.stream.subscribe(ADMIN, None, None).cursor
        await process.stop()
        cluster.processes.clear()
        cluster.fail_over()
        late = await cluster.start()
        async with late.stream.subscribe(ADMIN, None, cursor) as subscriber:
            assert (await receive_resync(subscriber)).reason is ResyncReason.EPOCH


async def received(subscriber: Subscriber, number: int) -> list[str]:
    """The cursors of the next events; none may be a resync."""
    cursors = []
    for _ in range(number):
        item: Any = await receive(subscriber)
        assert not isinstance(item, Resync), item
        cursors.append(item.cursor)
    return cursors
