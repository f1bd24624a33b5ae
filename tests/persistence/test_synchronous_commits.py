"""Commits that wait for a synchronous standby, with a real primary whose standby is not connected."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from domain.errors import Unavailable
from domain.user import Role
from persistence import connecting, migrations
from persistence.connecting import Connector
from persistence.database import Database
from persistence.diagnostics import Standbys, read_standbys
from persistence.queries.unanswered_writes import REFUSED
from persistence.server_connection import StatelessConnection
from persistence.transaction import NOT_CONFIRMED
from tests.persistence.task_writes import WRITES, Write, create, tasks_of
from tests.support.builders import Builders
from tests.support.replication import Primary
from tests.support.transactions import driver_connection
from tests.support.waiting import HANG_SECONDS

PATIENCE_SECONDS = 1.5
"""How long a write waits for its answer in these tests."""
POOL_SIZE = 4
_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
_VISIBLE = "SELECT count(*) + count(position) FROM events"
_TASKS = "SELECT count(*) FROM tasks"
_END = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
_CANCEL = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
_numbers = count()


class Observed:
    """A database of the primary, as an administrator sees it. These connections have no short time-outs."""

    def __init__(self, primary: Primary, build: Builders) -> None:
        self.primary = primary
        self.build = build

    async def value(self, statement: str) -> Any:
        """The first value of a statement."""
        async with self.build.database.connect() as connection:
            return (await connection.execute(text(statement))).scalar()

    async def until(self, statement: str, value: int) -> None:
        """Wait until a statement returns this value."""
        async with asyncio.timeout(HANG_SECONDS):
            while await self.value(statement) != value:
                await asyncio.sleep(0)

    async def create_probe(self) -> None:
        """Create a table that is only written to."""
        async with driver_connection(self.build.database) as connection:
            await connection.execute("CREATE TABLE IF NOT EXISTS probe ()")

    async def stop_confirming(self) -> None:
        """Let commits wait from now on. The server applies the setting some time after the statement."""
        await self.create_probe()
        self.primary.wait_for_commits()
        async with driver_connection(self.build.database) as connection:
            while not await self.value(_WAITING):
                probe = asyncio.create_task(connection.execute("INSERT INTO probe DEFAULT VALUES"))
                while not probe.done() and not await self.value(_WAITING):
                    await asyncio.sleep(0)
            await self.value(_END)
            await asyncio.wait([probe])
            assert probe.exception() is not None
        await self.until(_WAITING, 0)

    async def wait_in_vain(self, call: Callable[[], Awaitable[Any]]) -> None:
        """Make a call whose commit waits for longer than the caller. On a slow machine, earlier attempts may end."""
        before = await self.value(_VISIBLE)
        async with asyncio.timeout(HANG_SECONDS):
            while not await self.value(_WAITING):
                with pytest.raises(Unavailable):
                    await call()
                assert await self.value(_VISIBLE) == before

    async def confirm(self) -> None:
        """Let all commits end."""
        self.primary.wait_for_commits(enabled=False)
        await self.until(_WAITING, 0)


async def eventually(call: Callable[[], Awaitable[Any]]) -> Any:
    """The result of a call, for which a slow machine may need several attempts."""
    async with asyncio.timeout(HANG_SECONDS):
        while True:
            with suppress(Unavailable):
                return await call()


@pytest.fixture(scope="module")
def primary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Primary]:
    """A server whose commits can be made to wait."""
    folder: Path = tmp_path_factory.mktemp("synchronous")
    with Primary(folder / "primary", synchronous=True) as server:
        yield server


@pytest.fixture
async def observed(primary: Primary) -> AsyncIterator[Observed]:
    """An empty database, and commits that do not wait yet."""
    database = Database(primary.create_database(f"observed_{next(_numbers)}"), pool_size=2)
    await migrations.upgrade(database.engine)
    observed = Observed(primary, Builders(database))
    yield observed
    await observed.confirm()
    await database.close()


@pytest.fixture
async def impatient(observed: Observed, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Builders]:
    """The same database for a process that waits for an answer for a moment."""
    monkeypatch.setattr(connecting, "COMMAND_SECONDS", PATIENCE_SECONDS)
    url = observed.build.database.engine.url.render_as_string(hide_password=False)
    database = Database(url, pool_size=POOL_SIZE)
    yield Builders(database)
    await database.close()


async def test_a_cancel_request_makes_a_change_visible(observed: Observed, monkeypatch: pytest.MonkeyPatch):
    """What asyncpg does after a time-out, and what this project therefore does not do."""
    await observed.create_probe()
    await observed.stop_confirming()
    before = await observed.value("SELECT count(*) FROM probe")
    monkeypatch.setattr(connecting, "COMMAND_SECONDS", PATIENCE_SECONDS)
    connector = Connector(observed.build.database.engine.url, connection_class=StatelessConnection)
    connection = await connector()
    with pytest.raises(TimeoutError):
        await connection.execute("INSERT INTO probe DEFAULT VALUES")

    await observed.until("SELECT count(*) FROM probe", before + 1)
    assert await observed.value(_WAITING) == 0
    connection.terminate()


@pytest.mark.parametrize("write", WRITES)
async def test_a_change_without_an_answer_is_not_visible(observed: Observed, impatient: Builders, write: Write):
    """It is reported as unavailable. It is stored when the standby has it."""
    actor = await observed.build.an_actor(Role.ADMIN)
    [task] = await tasks_of(observed.build, actor, 1)
    await observed.stop_confirming()
    await observed.wait_in_vain(lambda: write(impatient.as_(actor), task))

    assert await observed.value(_WAITING) == 1
    assert await observed.build.recorded_events() == []
    assert impatient.database.recorded == 0
    await observed.confirm()
    assert len(await observed.build.recorded_events()) == 1


async def test_a_cancelled_write_is_not_visible(observed: Observed, impatient: Builders):
    """A client that goes away does not confirm its change either."""
    actor = await observed.build.an_actor()
    [task] = await tasks_of(observed.build, actor, 1)
    await observed.stop_confirming()
    writing = asyncio.create_task(create(impatient.as_(actor), task))
    await observed.until(_WAITING, 1)
    writing.cancel()
    await asyncio.wait([writing])
    async with asyncio.timeout(HANG_SECONDS):
        while impatient.database._pool.acquired:
            await asyncio.sleep(0)

    for _ in range(20):  # a cancel request would be one more connection, and would come before most of these
        assert await observed.value(_WAITING) == 1
    assert await observed.value(_TASKS) == 1


async def test_an_administrator_who_cancels_confirms_nothing(observed: Observed):
    """The change is visible then, and the write has failed. The next one succeeds."""
    actor = await observed.build.an_actor()
    [task] = await tasks_of(observed.build, actor, 1)
    await observed.stop_confirming()
    writing = asyncio.create_task(create(observed.build.as_(actor), task))
    await observed.until(_WAITING, 1)
    await observed.value(_CANCEL)
    with pytest.raises(Unavailable, match=NOT_CONFIRMED[:20]):
        await writing

    assert await observed.value(_TASKS) == 2
    assert observed.build.database.recorded == 0
    await observed.confirm()
    await create(observed.build.as_(actor), task)
    assert observed.build.database.recorded == 1


async def test_the_number_of_waiting_commits_is_bounded(observed: Observed, impatient: Builders):
    """Then writes are refused at once, and reading works. Writes are accepted again when a commit is answered."""
    actor = await observed.build.an_actor()
    [task] = await tasks_of(observed.build, actor, 1)
    await observed.stop_confirming()
    messages: set[str] = set()
    async with asyncio.timeout(HANG_SECONDS):
        while messages != {REFUSED}:
            writes = [create(impatient.as_(actor), task) for _ in range(4 * POOL_SIZE)]
            messages = {str(end) for end in await asyncio.gather(*writes, return_exceptions=True)}

    assert 1 <= await observed.value(_WAITING) <= POOL_SIZE + POOL_SIZE // 4
    assert await eventually(lambda: impatient.task(task.id)) is not None
    await observed.confirm()
    async with asyncio.timeout(HANG_SECONDS):
        while impatient.database._pool.refuses_writes:
            await asyncio.sleep(0)
    await eventually(lambda: create(impatient.as_(actor), task))


async def test_the_status_shows_waiting_commits(observed: Observed, impatient: Builders):
    """`taskriver doctor` reports them when they have waited for two seconds."""
    actor = await observed.build.an_actor()
    [task] = await tasks_of(observed.build, actor, 1)
    await observed.stop_confirming()
    await observed.wait_in_vain(lambda: create(impatient.as_(actor), task))
    async with asyncio.timeout(HANG_SECONDS), observed.build.database.connect() as connection:
        while not (status := await read_standbys(connection)).waiting_commits:
            await connection.rollback()

    assert status == Standbys(0, 0, 0, 0, 0.0, is_synchronous=True, waiting_commits=1)


async def test_the_numbering_of_events_does_not_wait_forever(observed: Observed, impatient: Builders):
    """It is a write like others: unavailable, and not delivered."""
    actor = await observed.build.an_actor()
    [task] = await tasks_of(observed.build, actor, 1)
    await create(observed.build.as_(actor), task)
    await observed.stop_confirming()

    async def number() -> None:
        async with impatient.database.log() as log:
            await log.number()

    await observed.wait_in_vain(number)
    assert await observed.value("SELECT count(position) FROM events") == 0
    await observed.confirm()
    assert await observed.value("SELECT count(position) FROM events") == 1
