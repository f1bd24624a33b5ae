"""A transaction that commits, fails or is cancelled does not affect the next one."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import text

from domain.actor import OPERATOR
from domain.errors import NotFound, Unauthenticated, Unavailable
from embedded.postgres import Postgres
from persistence import database as engine_module
from persistence import migrations
from persistence.address import database_url
from persistence.database import Database
from persistence.models import TaskRow
from persistence.queries.task_list import EVERYTHING
from persistence.unit_of_work import UnitOfWork
from tests.support.builders import Builders
from tests.support.transactions import flush, lock_row
from tests.support.waiting import HANG_SECONDS


@pytest.fixture(scope="module")
async def small_database(new_database: Callable[[], str]) -> AsyncIterator[Database]:
    """A database with two connections."""
    database = Database(new_database(), pool_size=2)
    yield database
    await database.close()


@pytest.fixture
async def small_build(small_database: Database) -> AsyncIterator[Builders]:
    """Builders on it; at the end all connections have been released."""
    await Builders.clear(small_database)
    yield Builders(small_database)
    await everything_is_back(small_database)


async def everything_is_back(database: Database) -> None:
    """No connection is out, and the next request works on each of them."""
    assert database.connections == (0, 0)
    await asyncio.gather(*(works(database) for _ in range(2)))
    assert database.connections == (0, 0)


async def works(database: Database) -> None:
    """A request that must succeed."""
    async with database.unit_of_work(OPERATOR) as uow:
        await uow.tasks.count(EVERYTHING)


async def run(uow: UnitOfWork, statement: str) -> object:
    """Run a statement in the transaction; returns the first value of its result."""
    await uow.transaction.begin()
    return await uow.transaction.value(statement)


async def do(build: Builders, *steps: str | Callable[[UnitOfWork], Awaitable[object]]) -> None:
    """One unit of work of these steps, each a statement or something else to do, committed at the end."""
    async with build.as_(OPERATOR) as uow:
        for step in steps:
            await (run(uow, step) if isinstance(step, str) else step(uow))
        await uow.commit()


async def refuse(uow: UnitOfWork) -> None:
    """What a rule does."""
    raise NotFound("gone")


async def end_backend(uow: UnitOfWork) -> None:
    """Have the server end this transaction's connection, and wait until it has."""
    pid = await run(uow, "SELECT pg_backend_pid()")
    other = uow._new_transaction()
    await other.fetch("SELECT pg_terminate_backend($1, 60000)", pid)
    await other.close()


def until_the_backend_ends(statement: str) -> Callable[[UnitOfWork], Awaitable[None]]:
    """A step: run a statement that makes the server end the connection, and wait until it has."""

    async def step(uow: UnitOfWork) -> None:
        pid = await run(uow, "SELECT pg_backend_pid()")
        await run(uow, statement)
        other = uow._new_transaction()
        async with asyncio.timeout(HANG_SECONDS):
            while await other.fetch("SELECT FROM pg_stat_activity WHERE pid = $1", pid):
                await asyncio.sleep(0.005)
        await other.close()

    return step


class TestOutcome:
    async def test_without_commit_nothing_is_stored(self, small_build: Builders):
        """Flushed changes are rolled back, and listeners are not called."""
        task = await small_build.a_task()
        rung: list[bool] = []
        small_build.database.on_recorded(lambda: rung.append(True))
        async with small_build.as_(OPERATOR) as uow:
            row = await lock_row(uow, TaskRow, task.id)
            uow.change(row, title="Changed")
            await flush(uow)

        stored = await small_build.task(task.id)
        assert stored is not None
        assert stored.title == task.title
        assert rung == []

    async def test_a_refusal_is_raised_unchanged(self, small_build: Builders):
        """Nothing is written."""
        task = await small_build.a_task()
        with pytest.raises(NotFound, match="gone"):
            await do(small_build, "DELETE FROM tasks", refuse)

        assert await small_build.task(task.id) is not None

    async def test_an_error_of_a_listener_does_not_fail_the_caller(
        self, small_build: Builders, caplog: pytest.LogCaptureFixture
    ):
        """The change is committed."""

        def broken() -> None:
            raise RuntimeError("broken listener")

        small_build.database.on_recorded(broken)
        async with small_build.as_(OPERATOR) as uow:
            uow._recorded = 1
            await uow.commit()
        small_build.database._listeners.remove(broken)

        assert "broken listener" in caplog.text

    async def test_an_anonymous_unit_of_work_has_no_actor(self, small_build: Builders):
        """Code that needs one gets an error."""
        with pytest.raises(Unauthenticated):
            _ = small_build.as_(None).actor


class TestUnavailable:
    @pytest.mark.parametrize(
        ("settings", "statement"),
        [
            ("statement_timeout = '20ms'", "SELECT pg_sleep(600)"),
            ("lock_timeout = '20ms'", "SELECT number_events(1)"),
            ("transaction_read_only = on", "DELETE FROM events"),
            ("statement_timeout = 0", "SELECT pg_terminate_backend(pg_backend_pid())"),
        ],
    )
    async def test_temporary_failures_are_unavailable(self, small_build: Builders, settings: str, statement: str):
        """A statement or lock time-out, a read-only server, a lost connection."""
        async with small_build.database.engine.connect() as rival:
            await rival.execute(text("SELECT 1 FROM event_head FOR UPDATE"))
            with pytest.raises(Unavailable):
                await do(small_build, f"SET LOCAL {settings}", statement)

    async def test_a_connection_that_was_cut_meanwhile(self, small_build: Builders):
        """A server that ended the connection between two statements, or at a pause that was too long."""
        pause = "SET LOCAL idle_in_transaction_session_timeout = '20ms'"
        with pytest.raises(Unavailable):
            await do(small_build, until_the_backend_ends(pause), "SELECT 1")

    async def test_a_connection_that_was_cut_before_the_commit(self, small_build: Builders):
        """The commit fails as unavailable too, and nothing was written."""
        task = await small_build.a_task()
        with pytest.raises(Unavailable):
            await do(small_build, "DELETE FROM tasks", end_backend)

        assert await small_build.task(task.id) is not None

    async def test_a_connection_lost_before_a_refusal(self, small_build: Builders):
        """The refusal is raised, not the failed rollback."""
        with pytest.raises(NotFound):
            await do(small_build, end_backend, refuse)

    async def test_an_exhausted_pool_is_unavailable(self, small_database: Database, monkeypatch: pytest.MonkeyPatch):
        """After a time-out."""
        monkeypatch.setattr(engine_module, "POOL_TIMEOUT_SECONDS", 0.2)
        database = Database(small_database.engine.url.render_as_string(hide_password=False), pool_size=2)
        async with database.unit_of_work(None) as one, database.unit_of_work(None) as two:
            await run(one, "SELECT 1")
            await run(two, "SELECT 1")
            with pytest.raises(Unavailable):
                await works(database)
            with pytest.raises(Unavailable):
                await database.ping()
        await database.close()

    async def test_a_deadlock_is_unavailable_for_one(self, small_build: Builders):
        """The other one succeeds."""
        tasks = [await small_build.a_task(), await small_build.a_task()]
        both_have_one = asyncio.Barrier(2)

        async def lock_both(first: int, second: int) -> None:
            async with small_build.as_(OPERATOR) as uow:
                await run(uow, "SET LOCAL deadlock_timeout = '50ms'")
                await lock_row(uow, TaskRow, tasks[first].id)
                await both_have_one.wait()
                await lock_row(uow, TaskRow, tasks[second].id)

        outcomes = await asyncio.gather(lock_both(0, 1), lock_both(1, 0), return_exceptions=True)
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["NoneType", "Unavailable"]

    async def test_a_table_changed_under_an_open_connection(self, new_database: Callable[[], str]):
        """After a migration the first request of a connection may fail."""
        database = Database(new_database(), pool_size=1)
        async with database.unit_of_work(OPERATOR) as uow:
            await uow.tasks.slice(skip=0, limit=1)
        async with database.engine.begin() as connection:
            await connection.exec_driver_sql("ALTER TABLE tasks ALTER COLUMN version TYPE bigint")
        outcomes = []
        for _ in range(2):
            try:
                async with database.unit_of_work(OPERATOR) as uow:
                    outcomes.append(await uow.tasks.slice(skip=0, limit=1))
            except Unavailable:
                outcomes.append([])

        assert outcomes == [[], []]
        await database.close()

    async def test_a_bug_is_not_unavailable(self, small_build: Builders):
        """A value that cannot be encoded, and one that the server refuses, would not work the next time either."""
        for statement, *values in (("SELECT $1::bigint", 2**70), ("SELECT 1 / length($1)", "")):
            with pytest.raises((asyncpg.DataError, asyncpg.DivisionByZeroError)):
                async with small_build.as_(None) as uow:
                    await uow.transaction.fetch(statement, *values)

    async def test_a_restart_of_the_server(self, tmp_path: Path):
        """Meanwhile everything is unavailable; afterwards all works."""
        with Postgres(tmp_path / "postgres", durable=False) as server:
            database = Database(server.url, pool_size=2)
            await migrations.upgrade(database.engine)
            await works(database)

            async def underway() -> None:
                async with database.unit_of_work(None) as uow:
                    await run(uow, "SELECT pg_sleep(600)")

            waiting = asyncio.create_task(underway())
            await is_idle(database)
            await asyncio.to_thread(server.stop)
            with pytest.raises(Unavailable):
                await waiting
            for _ in range(3):
                with pytest.raises(Unavailable):
                    await works(database)
            with pytest.raises(Unavailable):
                await database.ping()

            await asyncio.to_thread(server.start)
            await everything_is_back(database)
            await database.ping()
            await database.close()


class TestCancelled:
    @pytest.mark.parametrize("seed", range(4))
    async def test_no_connection_is_lost(self, small_build: Builders, seed: int):
        """Tasks that are cancelled at any point, also twice, release their connections and change nothing."""
        chance = random.Random(seed)
        task = await small_build.a_task()

        async def change() -> None:
            async with small_build.as_(OPERATOR) as uow:
                row = await lock_row(uow, TaskRow, task.id)
                uow.change(row, title="Changed")
                await flush(uow)
                await run(uow, "SELECT pg_sleep(0.02)")

        for _ in range(12):
            running = asyncio.create_task(change())
            for _ in range(chance.randrange(1, 3)):
                await asyncio.sleep(chance.random() * 0.02)
                running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        await until_everything_is_back(small_build.database)

        stored = await small_build.task(task.id)
        assert stored is not None
        assert stored.title == task.title

    async def test_a_second_cancellation_does_not_interrupt_the_first(self, small_build: Builders):
        """The release continues in the background."""
        entered = asyncio.Event()

        async def wait() -> None:
            async with small_build.as_(None) as uow:
                entered.set()
                await run(uow, "SELECT pg_sleep(600)")

        running = asyncio.create_task(wait())
        await entered.wait()
        await is_idle(small_build.database)
        for _ in range(3):
            running.cancel()
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await running
        await until_everything_is_back(small_build.database)


async def is_idle(database: Database) -> None:
    """Wait until a statement of this database sleeps."""
    idle = text("SELECT true FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'")
    async with asyncio.timeout(HANG_SECONDS), database.connect() as connection:
        while not await connection.scalar(idle):
            await connection.rollback()


async def until_everything_is_back(database: Database) -> None:
    """Releasing may continue in the background."""
    async with asyncio.timeout(HANG_SECONDS):
        while database.connections != (0, 0):
            await asyncio.sleep(0.01)


class TestDatabaseUrl:
    @pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg", "postgresql+asyncpg"])
    def test_the_driver_of_the_url_is_replaced(self, scheme: str):
        """The rest of the URL stays."""
        url = database_url(f"{scheme}://me:p%40ss@db.example.org:5433/tasks?sslmode=require")
        assert url.render_as_string(hide_password=False) == (
            "postgresql+asyncpg://me:p%40ss@db.example.org:5433/tasks?sslmode=require"
        )

    def test_another_database_is_refused(self):
        """The message names the other database."""
        with pytest.raises(ValueError, match="sqlite is not supported"):
            database_url("sqlite:///tasks.db")
