"""Migrations run while servers of the previous version read and write."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext

import pytest
from alembic import op
from sqlalchemy import text

from migrations import steps
from persistence import migrations
from persistence.database import Database
from persistence.schema_check import is_current

TASKS = 250
"""More than two batches."""
MOVERS = 4

PEOPLE = """
INSERT INTO users (id, username, email, password_hash, role, is_active, access_version, created_at, updated_at)
VALUES (gen_random_uuid(), 'ada', 'ada@example.org', '!', 'USER', true, 1, now(), now())
"""
SOME_TASKS = """
INSERT INTO tasks (id, title, description, status, priority, owner_id, version, created_at, updated_at)
SELECT gen_random_uuid(), 'Title ' || number, 'Description ' || number, 'TODO', 2, users.id, 1, now(), now()
FROM users, generate_series(1, :tasks) AS number
"""
MOVE = "UPDATE tasks SET version = version + 1, updated_at = now() WHERE id = :id"
RENAME = "UPDATE tasks SET title = 'Renamed ' || version, version = version + 1 WHERE id = :id"
ADD = """
INSERT INTO tasks (id, title, description, status, priority, owner_id, version, created_at, updated_at)
SELECT gen_random_uuid(), 'New', '', 'TODO', 2, owner_id, 1, now(), now() FROM tasks WHERE id = :id
"""
REMOVE = "DELETE FROM tasks WHERE id = (SELECT id FROM tasks WHERE title = 'New' LIMIT 1)"
SEARCH = "SELECT count(*) FROM tasks WHERE title ILIKE '%tle 7%' AND id <> :id"
NUMBER = "SELECT count(*) FROM event_head, number_events(100)"
"""As servers send it: it locks the view of the head before it calls the function, which returns rows of events."""
DIFFERENT = """
SELECT count(*) FROM tasks FULL JOIN task_texts ON tasks.id = task_texts.task_id
WHERE (tasks.title, tasks.description) IS DISTINCT FROM (task_texts.title, task_texts.description)
"""


@pytest.fixture
async def database(empty_database: Callable[[], str]) -> AsyncIterator[Database]:
    """An empty database."""
    database = Database(empty_database(), pool_size=MOVERS + 4)
    yield database
    await database.close()


async def at(database: Database, revision: str) -> None:
    """Bring it to a revision, with a user and tasks."""
    await migrations.upgrade(database.engine, revision)
    async with database.engine.begin() as connection:
        await connection.execute(text(PEOPLE))
        await connection.execute(text(SOME_TASKS), {"tasks": TASKS})


async def a_pause(lines: list[str], migration: asyncio.Task[None]) -> None:
    """Wait until a migration has released a lock and reported it."""
    while not lines and not migration.done():
        await asyncio.sleep(0.01)


class Traffic:
    """What servers of the previous version send, over and over: each statement a transaction with their time-outs."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._stopped = asyncio.Event()
        self.rounds = 0

    @asynccontextmanager
    async def going(self) -> AsyncIterator[None]:
        """Send until the block ends; what fails in it fails the test."""
        async with self._database.connect() as connection:
            ids = list(await connection.scalars(text("SELECT id FROM tasks ORDER BY random() LIMIT 100")))
        async with asyncio.TaskGroup() as group:
            for number in range(MOVERS):
                group.create_task(self._send(ids[number::MOVERS]))
            try:
                yield
            finally:
                self._stopped.set()

    async def at_least(self, rounds: int) -> None:
        """Wait until so many more were made."""
        wanted = self.rounds + rounds
        while self.rounds < wanted:
            await asyncio.sleep(0.01)

    async def _send(self, ids: list[object]) -> None:
        while not self._stopped.is_set():
            for task_id in ids:
                for statement in (SEARCH, MOVE, RENAME, ADD, REMOVE, NUMBER):
                    async with self._database.engine.begin() as connection:
                        await connection.execute(text(statement), {"id": task_id} if ":id" in statement else {})
                self.rounds += 1
                if self._stopped.is_set():
                    return


@pytest.mark.parametrize("before", ["0001", "0002"])
class TestInUse:
    async def test_no_request_fails_during_migrations(self, database: Database, before: str):
        """Reads, status changes, new texts and deletions continue, and every text is found afterwards."""
        await at(database, before)
        traffic = Traffic(database)
        async with traffic.going():
            await traffic.at_least(5)
            await migrations.upgrade(database.engine)
            await traffic.at_least(5)

        async with database.connect() as connection:
            assert await connection.scalar(text(DIFFERENT)) == 0
            assert await is_current(connection)

    async def test_an_open_transaction_delays_only_the_migration(self, database: Database, before: str):
        """Others continue between the attempts."""
        await at(database, before)
        lines: list[str] = []
        traffic = Traffic(database)
        async with database.connect() as reader:
            await reader.execute(text("SELECT count(*) FROM tasks, event_head"))
            await reader.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
            pid = await reader.scalar(text("SELECT pg_backend_pid()"))
            async with traffic.going():
                migration = asyncio.create_task(migrations.upgrade(database.engine, report=lines.append))
                await a_pause(lines, migration)
                await traffic.at_least(5)
                assert not migration.done()
                await reader.rollback()
                await migration
        assert f"pid {pid} (taskriver, user taskriver, idle in transaction for" in lines[0]


class TestPatience:
    async def test_a_lock_that_stays_is_reported(self, database: Database):
        """One line names the transaction and what to do; a later migration continues from there."""
        await at(database, "0002")
        async with database.connect() as reader:
            await reader.execute(text("SELECT count(*) FROM tasks"))
            await reader.execute(text("SET LOCAL application_name = 'report'"))
            with pytest.raises(migrations.MigrationError, match=r"pid \d+ \(report, .* has tasks") as raised:
                await migrations.upgrade(database.engine, lock_timeout=0.6)
            await reader.rollback()
        assert "\n" not in str(raised.value)
        assert "pg_terminate_backend" in str(raised.value)
        await migrations.upgrade(database.engine)

    async def test_a_locked_row_is_waited_for(self, database: Database):
        """The copy of texts is complete in the end."""
        await at(database, "0002")
        lines: list[str] = []
        async with database.connect() as writer:
            await writer.execute(text("UPDATE tasks SET title = 'Locked' WHERE title IN ('Title 3', 'Title 200')"))
            migration = asyncio.create_task(migrations.upgrade(database.engine, report=lines.append))
            await a_pause(lines, migration)
            await writer.commit()
            await migration
        async with database.connect() as connection:
            assert await connection.scalar(text(DIFFERENT)) == 0

    async def test_a_second_migration_reports_that_it_waits(self, database: Database):
        """Once; then there is nothing to do."""
        lines: list[str] = []
        async with database.connect() as rival:
            await rival.execute(text(f"SELECT pg_advisory_lock({migrations._LOCK})"))
            waiting = asyncio.create_task(migrations.upgrade(database.engine, report=lines.append))
            await a_pause(lines, waiting)
            await rival.execute(text(f"SELECT pg_advisory_unlock({migrations._LOCK})"))
            await rival.rollback()
        await waiting
        assert lines == ["Another process is migrating this database. Waiting until it has finished."]

    async def test_newer_tables_are_not_changed(self, database: Database):
        """One line says so."""
        await migrations.upgrade(database.engine)
        async with database.engine.begin() as connection:
            await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        with pytest.raises(migrations.MigrationError, match="newer than this version") as raised:
            await migrations.upgrade(database.engine)
        assert "\n" not in str(raised.value)

    async def test_a_lost_connection_is_reported(self, database: Database):
        """In one line; completed steps stay."""
        await at(database, "0002")
        lines: list[str] = []
        async with database.connect() as reader:
            await reader.execute(text("SELECT count(*) FROM tasks"))
            migration = asyncio.create_task(migrations.upgrade(database.engine, report=lines.append))
            await a_pause(lines, migration)
            await reader.execute(text(_END_THE_MIGRATION))
            with pytest.raises(migrations.MigrationError, match="connection to the database broke"):
                await migration
        await migrations.upgrade(database.engine)


_END_THE_MIGRATION = """
SELECT pg_terminate_backend(pid) FROM pg_locks
WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class TestBatches:
    async def test_batches_continue_until_nothing_is_left(self, monkeypatch: pytest.MonkeyPatch):
        """A pass ends with an empty statement, first without locked rows."""
        answers = iter([None, "a", "b", None, None])
        asked: list[tuple[str, object]] = []

        class Bind:
            def scalar(self, statement: object, values: dict[str, object]) -> object:
                asked.append((str(statement), values["after"]))
                return next(answers)

        monkeypatch.setattr(steps, "outside_transaction", nullcontext)
        monkeypatch.setattr(op, "get_bind", Bind, raising=False)
        steps.in_batches("COPY {wait}")
        assert [words for words, _ in asked] == ["COPY SKIP LOCKED", "COPY ", "COPY ", "COPY ", "COPY "]
        assert [after for _, after in asked][1:] == [steps._BEFORE_ALL, "a", "b", steps._BEFORE_ALL]
