"""Where the log lives: remembered once, and another epoch when it lives elsewhere."""

import asyncio
import logging
import os
import subprocess
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from sqlalchemy import text, update

from embedded.postgres import Postgres
from persistence.database import Database, connect
from persistence.epoch import DatabaseIdentity, check_database_identity
from persistence.models import LogStateRow
from tests.support.waiting import HANG_SECONDS

PLAIN = "plain"


@pytest.fixture
async def database(new_database: Callable[[], str]) -> AsyncIterator[Database]:
    """A database without a recorded identity."""
    database = Database(new_database(), pool_size=8)
    yield database
    await database.close()


async def check(database: Database) -> str:
    """Look where the log lives, as over a new connection; returns the epoch then."""
    connection = await connect(database.engine.url)
    try:
        await check_database_identity(connection)
    finally:
        await connection.close()
    return await epoch(database)


async def epoch(database: Database) -> str:
    """The epoch as it is stored."""
    async with database.connect() as connection:
        return str(await connection.scalar(text("SELECT epoch FROM event_head")))


async def remembered(database: Database) -> DatabaseIdentity:
    """What the head remembers."""
    async with database.connect() as connection:
        query = text("SELECT system_id, timeline, database_id, table_id FROM event_head")
        return DatabaseIdentity(*(await connection.execute(query)).one())


async def pretend(database: Database, **values: int | None) -> None:
    """Have the head remember something else."""
    async with database.engine.begin() as connection:
        await connection.execute(update(LogStateRow).values(values))


class TestCheck:
    async def test_the_first_check_records_the_identity(self, database: Database):
        """The epoch stays, and a second check changes nothing."""
        before = await epoch(database)
        assert await remembered(database) == DatabaseIdentity(None, None, None, None)
        assert await check(database) == before
        first = await remembered(database)
        assert await check(database) == before
        assert await remembered(database) == first
        assert None not in (first.system_id, first.timeline, first.database_id, first.table_id)

    @pytest.mark.parametrize("part", ["system_id", "timeline", "database_id", "table_id"])
    async def test_each_part_of_the_identity_counts(self, database: Database, part: str):
        """Another server, timeline, database or table starts another epoch, once."""
        before = await check(database)
        here = await remembered(database)
        await pretend(database, **{part: 4711})
        after = await check(database)

        assert after != before
        assert await remembered(database) == here
        assert await check(database) == after

    async def test_concurrent_checks_start_one_epoch(self, database: Database, caplog: pytest.LogCaptureFixture):
        """Of eight processes that detect a change, one starts it."""
        before = await check(database)
        await pretend(database, system_id=1, timeline=7)
        with caplog.at_level(logging.WARNING, "taskriver.database"):
            await asyncio.gather(*(check(database) for _ in range(8)))

        assert await epoch(database) != before
        assert len(caplog.records) == 1

    async def test_every_new_connection_of_the_log_is_checked(self, database: Database):
        """Before anything is read, and only then."""
        async with database.log() as log:
            before = (await log.head()).epoch
        await pretend(database, timeline=7)
        async with database.log() as log:
            assert (await log.head()).epoch == before
        other = Database(database.engine.url.render_as_string(hide_password=False), pool_size=1)
        async with other.log() as log:
            assert (await log.head()).epoch != before
        await other.close()


async def as_a_plain_role(database: Database) -> Database:
    """The same database, with a role that owns nothing."""
    async with database.engine.begin() as connection:
        await connection.execute(text(f"GRANT SELECT, UPDATE ON ALL TABLES IN SCHEMA public TO {PLAIN}"))
    url = database.engine.url.set(username=PLAIN, password="secret")
    return Database(url.render_as_string(hide_password=False), pool_size=1)


@pytest.fixture
async def plain(database: Database) -> AsyncIterator[Database]:
    """The database, as a role without privileges sees it."""
    async with database.engine.begin() as connection:
        await connection.execute(text(f"CREATE ROLE {PLAIN} LOGIN PASSWORD 'secret'"))
    seen = await as_a_plain_role(database)
    yield seen
    await seen.close()
    async with database.engine.begin() as connection:
        await connection.execute(text("GRANT EXECUTE ON FUNCTION pg_control_system() TO PUBLIC"))
        await connection.execute(text(f"DROP OWNED BY {PLAIN}"))
        await connection.execute(text(f"DROP ROLE {PLAIN}"))


class TestPrivileges:
    async def test_no_privileges_are_needed(self, plain: Database):
        """Any role can read all four parts."""
        await check(plain)
        here = await remembered(plain)
        assert None not in (here.system_id, here.timeline, here.database_id, here.table_id)

    async def test_a_server_that_refuses_the_functions(
        self, database: Database, plain: Database, caplog: pytest.LogCaptureFixture
    ):
        """The remaining parts count, and one line is logged."""
        before = await check(database)
        here = await remembered(database)
        async with database.engine.begin() as connection:
            await connection.execute(text("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC"))
        with caplog.at_level(logging.INFO, "taskriver.database"):
            async with plain.log() as log:
                assert (await log.head()).epoch == before
        assert "reset-epoch" in caplog.text
        assert await remembered(database) == here

        await pretend(database, table_id=7)
        again = await as_a_plain_role(database)
        async with again.log() as log:
            assert (await log.head()).epoch != before
        await again.close()


class TestRestore:
    @pytest.mark.parametrize("into", ["itself", "another"])
    async def test_a_dump(
        self,
        postgres: Postgres,
        database: Database,
        new_database: Callable[[], str],
        into: str,
    ):
        """A dump that was restored over its own database, or into another one, is another history by itself."""
        before = await check(database)
        target = database if into == "itself" else Database(new_database(), pool_size=1)
        dump = _client(postgres, "pg_dump", "--format=custom", str(database.engine.url.database))
        name = f"--dbname={target.engine.url.database}"
        _client(postgres, "pg_restore", "--clean", "--if-exists", name, stdin=dump)
        stored = await epoch(target)
        fresh = Database(target.engine.url.render_as_string(hide_password=False), pool_size=1)
        async with fresh.log() as log:
            seen = (await log.head()).epoch
        await fresh.close()
        if target is not database:
            await target.close()

        assert stored == before
        assert seen != before


def _client(postgres: Postgres, program: str, *arguments: str, stdin: bytes = b"") -> bytes:
    command: list[Any] = [postgres._programs.folder / program, *arguments]
    environment = {**os.environ, **postgres._libpq_environment()}
    return subprocess.run(
        command, input=stdin, env=environment, check=True, capture_output=True, timeout=HANG_SECONDS
    ).stdout
