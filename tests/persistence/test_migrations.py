"""The migrations, up and down, alone and concurrently."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import func, select, text

import migrations as scripts
from persistence import migrations, schema_check
from persistence.connecting import create_engine
from persistence.database import Database
from persistence.models import Base

_CATALOGUE = """
SELECT 'index', indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT 'constraint', conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT 'column', table_name || ' ' || column_name || ' ' || data_type || ' '
    || coalesce(character_maximum_length::text, '') || ' ' || is_nullable || ' ' || coalesce(column_default, '')
    FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
    WHERE table_schema = 'public' AND table_type = 'BASE TABLE'
"""
_TABLE = "SELECT tableoid::bigint FROM event_head"
_UPGRADE = """
import asyncio, sys
from persistence import migrations
from persistence.connecting import create_engine
asyncio.run(migrations.upgrade(create_engine(sys.argv[1])))
"""


@pytest.fixture
async def database(empty_database: Callable[[], str]) -> AsyncIterator[Database]:
    """A database without a single table."""
    database = Database(empty_database(), pool_size=2)
    yield database
    await database.close()


async def catalogue(database: Database) -> set[tuple[str, str]]:
    """Every index, constraint and column, but for those of Alembic's own table."""
    async with database.connect() as connection:
        rows = await connection.execute(text(_CATALOGUE))
        return {(kind, what) for kind, what in rows if "alembic_version" not in what}


async def is_current(database: Database) -> bool:
    """Whether the newest migration has been applied."""
    async with database.connect() as connection:
        return await schema_check.is_current(connection)


_HEAD_BEFORE = """
SELECT epoch, position, trimmed, EXISTS (SELECT id FROM events WHERE position IS NULL) AS pending FROM event_head
"""
_NUMBER_BEFORE = """
SELECT n.position, epoch FROM event_head, (SELECT position FROM number_events(500)) AS n ORDER BY n.position
"""
_ONE_EVENT = "INSERT INTO events (kind, payload, recorded_at) VALUES ('TASK', '{}', now())"


class TestBesideTheVersionBefore:
    async def test_its_connections_go_on(self, database: Database):
        """What it asks of the head, numbers and changes, over a connection that was open, is the same afterwards."""
        await migrations.upgrade(database.engine, "0004")
        async with database.engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            ask = connection.exec_driver_sql
            await ask(_ONE_EVENT)
            numbered = list(await ask(_NUMBER_BEFORE))
            before, table = (await ask(_HEAD_BEFORE)).one(), await connection.scalar(text(_TABLE))
            await migrations.upgrade(database.engine)
            after = (await ask(_HEAD_BEFORE)).one()
            same_table = await connection.scalar(text(_TABLE))
            await ask(_ONE_EVENT)
            numbered += list(await ask(_NUMBER_BEFORE))
            await ask("UPDATE event_head SET trimmed = greatest(trimmed, 1)")
            await ask("DELETE FROM events")
            epoch = (await ask("UPDATE event_head SET epoch = 'another' RETURNING epoch")).scalar_one()
            last = (await ask(_HEAD_BEFORE)).one()

        assert [row.position for row in numbered] == [1, 2]
        assert (tuple(before), table) == (tuple(after), same_table)
        assert (epoch, last.position, last.trimmed) == ("another", 1, 1)

    async def test_its_way_back_keeps_the_place(self, database: Database):
        """After a downgrade the head stands where it stood."""
        await migrations.upgrade(database.engine)
        async with database.engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            for _ in range(3):
                await connection.exec_driver_sql(_ONE_EVENT)
            await connection.exec_driver_sql(_NUMBER_BEFORE)
            await migrations.downgrade(database.engine, "0004")
            await connection.exec_driver_sql(_ONE_EVENT)
            numbered = (await connection.exec_driver_sql(_NUMBER_BEFORE)).all()

        assert [row.position for row in numbered] == [4]


def test_revisions_are_those_of_alembic():
    """The files' names have the order in which Alembic applies the migrations."""
    script = ScriptDirectory(str(Path(scripts.__file__).parent))
    assert schema_check.revisions() == [each.revision for each in script.walk_revisions()][::-1]


class TestUpgrade:
    async def test_up_down_and_up_again(self, database: Database):
        """Down leaves nothing behind, and the second way up ends where the first did."""
        await migrations.upgrade(database.engine)
        first = await catalogue(database)
        await migrations.downgrade(database.engine, "base")
        bare = await catalogue(database)
        current = await is_current(database)
        await migrations.upgrade(database.engine)

        assert (bare, current) == (set(), False)
        assert await catalogue(database) == first != set()
        assert await is_current(database)

    async def test_the_models_and_the_migrations_agree(self, database: Database, empty_database: Callable[[], str]):
        """Autogenerate finds nothing to do, and the models alone make the same indexes, constraints and columns."""
        await migrations.upgrade(database.engine)
        async with database.connect() as connection:
            left_to_do = await migrations.differences(connection)
            function = await connection.scalar(text("SELECT pg_get_functiondef('search_keys'::regproc)"))
        modelled = Database(empty_database(), pool_size=1)
        async with modelled.engine.begin() as connection:
            await connection.execute(text("CREATE EXTENSION pg_trgm"))
            await connection.exec_driver_sql(str(function))
            await connection.run_sync(Base.metadata.create_all)

        assert left_to_do == []
        assert await catalogue(modelled) == await catalogue(database)
        await modelled.close()

    async def test_many_at_once_all_succeed(self, database: Database):
        """Eight that start together all end with the newest schema, and one of them made it."""
        await asyncio.gather(*(migrations.upgrade(database.engine) for _ in range(8)))
        assert await is_current(database)

    async def test_concurrent_migrations_succeed(self, empty_database: Callable[[], str]):
        """Replicas that start together on an empty database."""
        url = empty_database()
        processes = [await asyncio.create_subprocess_exec(sys.executable, "-c", _UPGRADE, url) for _ in range(3)]
        codes = await asyncio.gather(*(process.wait() for process in processes))
        database = Database(url, pool_size=1)

        assert codes == [0, 0, 0]
        assert await is_current(database)
        await database.close()

    async def test_a_migration_waits_for_another(self, database: Database):
        """It continues when the other one ends."""
        async with database.connect() as rival:
            await rival.execute(select(func.pg_advisory_lock(migrations._LOCK)))
            waiting = asyncio.create_task(migrations.upgrade(database.engine))
            await asyncio.sleep(0.3)
            early = await catalogue(database)
            await rival.execute(select(func.pg_advisory_unlock(migrations._LOCK)))
        await waiting

        assert early == set()
        assert await is_current(database)

    async def test_a_failed_migration_releases_its_lock(self, database: Database):
        """It changes nothing."""
        async with database.engine.begin() as connection:
            await connection.execute(text("CREATE TABLE tasks (id int)"))
        with pytest.raises(Exception, match="already exists"):
            await migrations.upgrade(database.engine)
        async with database.engine.begin() as connection:
            await connection.execute(text("DROP TABLE tasks"))

        assert await catalogue(database) == set()
        await migrations.upgrade(database.engine)
        assert await is_current(database)

    async def test_a_migration_may_take_its_time(self, database: Database):
        """Over a patient connection no statement, lock or pause is cut short, by the server or by the driver."""
        engine = create_engine(database.engine.url, no_timeouts=True)
        async with engine.connect() as connection:
            shown = [
                await connection.scalar(text(f"SHOW {name}"))
                for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
            ]
            driver: Any = (await connection.get_raw_connection()).driver_connection
        await engine.dispose()

        assert shown == ["0", "0", "0"]
        assert driver._config.command_timeout is None
