"""Taskriver behind a real PgBouncer, whose transactions get the sessions in turn."""

import asyncio
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from embedded.postgres import Postgres
from persistence import migrations
from persistence.connecting import TIME_OUTS, connect
from persistence.database import Database
from persistence.models import Base
from persistence.pgbouncer import read_pgbouncer
from persistence.pooler import Pooler
from persistence.session_pooling import NOT_PREPARED, REFUSED, SHARED, PooledSessions, check_sessions
from tests.e2e.conftest import World
from tests.e2e.test_two_processes import CHANGES, CURSOR, create, listening, title
from tests.pooler.conftest import Bouncer
from tests.pooler.traffic import behind, send, send_as
from tests.support.figures import Figures
from tests.support.processes import Command, Served, environment
from tests.support.waiting import HANG_SECONDS

SESSIONS = 3
USERS = 12
ROUNDS = 4
UNMANAGED = "This PgBouncer is older than 1.21: it does not manage prepared statements."
IGNORED = ", ".join([*TIME_OUTS, "jit"])
_STATE = """
    SELECT pg_backend_pid() AS pid,
           ARRAY(SELECT name FROM pg_settings WHERE source = 'session' AND name NOT IN (
               'application_name', 'client_encoding', 'DateStyle', 'TimeZone', 'standard_conforming_strings')) AS set,
           ARRAY(SELECT statement FROM pg_prepared_statements) AS prepared,
           ARRAY(SELECT pg_listening_channels()) AS channels,
           ARRAY(SELECT objid::text FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()) AS locks,
           ARRAY(SELECT relname::text FROM pg_class
                 WHERE relpersistence = 't' AND pg_table_is_visible(oid)) AS temporary
"""
"""What a session remembers. PgBouncer itself sets the five settings that it keeps for each client."""
_numbers = count()


@pytest.fixture(scope="module")
async def migrated(own_postgres: Postgres) -> str:
    """The URL of a database with tables, not through a pooler."""
    return await migrate(own_postgres.create_database("pooled"))


async def migrate(url: str) -> str:
    """Create the tables."""
    database = Database(url, pool_size=1)
    await migrations.upgrade(database.engine)
    await database.close()
    return url


class TestRequests:
    async def test_none_fails_without_prepared_statements(
        self, bouncer: Bouncer, migrated: str, redis_url: str, figures: Figures
    ):
        """With a pooler of any version. No session remembers anything."""
        pooler = bouncer(pool_mode="transaction", default_pool_size=SESSIONS)
        async with behind(pooler.through(migrated), migrated, redis_url, Pooler.UNPREPARED) as api:
            traffic = await send(api, USERS, ROUNDS)
            states = await states_of(pooler.through(migrated))

        figures.note(f"requests behind PgBouncer, unprepared: {len(traffic.wrong)} of {traffic.sent} failed")
        assert traffic.wrong == []
        assert traffic.sent == USERS * ROUNDS * 7
        assert len({state["pid"] for state in states}) == SESSIONS
        for state in states:
            assert {name: value for name, value in state.items() if name != "pid" and value} == {}

    async def test_none_fails_with_prepared_statements(
        self, bouncer: Bouncer, migrated: str, redis_url: str, manages_statements: bool, figures: Figures
    ):
        """With a pooler that manages them."""
        if not manages_statements:
            pytest.skip(UNMANAGED)
        pooler = bouncer(pool_mode="transaction", default_pool_size=SESSIONS, max_prepared_statements=200)
        assert await check_sessions(pooler.url, Pooler.PREPARED)
        async with behind(pooler.through(migrated), migrated, redis_url, Pooler.PREPARED) as api:
            traffic = await send(api, USERS, ROUNDS)
            states = await states_of(pooler.through(migrated))

        figures.note(f"requests behind PgBouncer, prepared: {len(traffic.wrong)} of {traffic.sent} failed")
        assert traffic.wrong == []
        for state in states:
            assert {name: value for name, value in state.items() if name not in {"pid", "prepared"} and value} == {}

    async def test_prepared_statements_survive_new_columns(
        self, bouncer: Bouncer, own_postgres: Postgres, redis_url: str, manages_statements: bool
    ):
        """As a migration adds them: the pooler keeps the statements that it has prepared in the sessions."""
        if not manages_statements:
            pytest.skip(UNMANAGED)
        url = await migrate(own_postgres.create_database(f"widened_{next(_numbers)}"))
        pooler = bouncer(pool_mode="transaction", default_pool_size=SESSIONS, max_prepared_statements=200)
        async with behind(pooler.through(url), url, redis_url, Pooler.PREPARED) as api:
            users = [await api.a_user() for _ in range(4)]
            before = await send_as(api, users, 2)
            await execute(url, [f"ALTER TABLE {name} ADD COLUMN added_later int" for name in Base.metadata.tables])
            after = await send_as(api, users, 2)

        assert (before.wrong, after.wrong) == ([], [])

    async def test_prepared_statements_do_not_survive_another_type(
        self, bouncer: Bouncer, own_postgres: Postgres, redis_url: str, manages_statements: bool
    ):
        """Statements that return the column fail until the sessions are new. So no migration may change a type."""
        if not manages_statements:
            pytest.skip(UNMANAGED)
        url = await migrate(own_postgres.create_database(f"retyped_{next(_numbers)}"))
        pooler = bouncer(pool_mode="transaction", default_pool_size=SESSIONS, max_prepared_statements=200)
        async with behind(pooler.through(url), url, redis_url, Pooler.PREPARED) as api:
            users = [await api.a_user() for _ in range(4)]
            before = await send_as(api, users, 2)
            await execute(url, ["ALTER TABLE users ALTER username TYPE varchar(600)"])
            after = [await send_as(api, users, 2) for _ in range(2)]
            pooler.kill()
            pooler.start()
            again = await send_as(api, users, 2)

        assert (before.wrong, again.wrong) == ([], [])
        assert [set(each.wrong) for each in after] == [{"200 ['UNAVAILABLE']"}] * 2

    async def test_they_fail_without_the_setting(
        self, bouncer: Bouncer, migrated: str, redis_url: str, manages_statements: bool, figures: Figures
    ):
        """So the tests above notice a statement that needs its session."""
        unmanaged = {"max_prepared_statements": 0} if manages_statements else {}
        pooler = bouncer(
            pool_mode="transaction", default_pool_size=SESSIONS, ignore_startup_parameters=IGNORED, **unmanaged
        )
        async with behind(pooler.through(migrated), migrated, redis_url, Pooler.NONE) as api:
            traffic = await send(api, USERS, ROUNDS)

        figures.note(f"requests behind PgBouncer, without the setting: {traffic.share:.0%} of {traffic.sent} failed")
        assert traffic.share > 0.05

    async def test_a_restarted_pooler_is_found_again(self, bouncer: Bouncer, migrated: str, redis_url: str):
        """Requests in between are unavailable, and none hangs."""
        pooler = bouncer(pool_mode="transaction", default_pool_size=SESSIONS)
        async with behind(pooler.through(migrated), migrated, redis_url, Pooler.UNPREPARED) as api:
            users = [await api.a_user() for _ in range(4)]
            assert (await send_as(api, users, 1)).wrong == []
            pooler.kill()
            lost = await send_as(api, users, 1)
            pooler.start()
            found = await send_as(api, users, 1)

        assert lost.wrong == ["200 ['UNAVAILABLE']"] * len(users)
        assert found.wrong == []


async def execute(url: str, statements: Sequence[str]) -> None:
    """Execute statements, not through a pooler."""
    connection = await connect(url)
    for statement in statements:
        await connection.execute(statement)
    await connection.close()


async def states_of(url: str) -> list[dict[str, Any]]:
    """What each session of the pool remembers: as many transactions as sessions, at the same time."""
    connections = [await connect(url, pooler=Pooler.UNPREPARED) for _ in range(SESSIONS)]
    for connection in connections:
        await connection.execute("BEGIN")
    states = [dict((await connection.fetch(_STATE))[0]) for connection in connections]
    for connection in connections:
        await connection.execute("ROLLBACK")
        await connection.close()
    return states


class TestSessions:
    @pytest.mark.parametrize(
        ("kind", "settings", "message"),
        [
            (Pooler.NONE, {"ignore_startup_parameters": IGNORED}, SHARED),
            (Pooler.NONE, {}, REFUSED),
            (Pooler.PREPARED, {"max_prepared_statements": 0}, NOT_PREPARED),
        ],
    )
    async def test_a_wrong_setting_is_reported(
        self, bouncer: Bouncer, manages_statements: bool, kind: Pooler, settings: dict[str, object], message: str
    ):
        """By name, with what to do."""
        known = {name: value for name, value in settings.items() if manages_statements or "prepared" not in name}
        pooler = bouncer(pool_mode="transaction", default_pool_size=SESSIONS, **known)
        with pytest.raises(PooledSessions) as raised:
            await check_sessions(pooler.url, kind)
        assert str(raised.value) == message

    @pytest.mark.usefixtures("bare_role")
    async def test_missing_time_outs_are_named_with_the_statements_that_set_them(
        self, bouncer: Bouncer, own_postgres: Postgres
    ):
        """After these, and with new sessions, none is missing."""
        first = bouncer(pool_mode="transaction", default_pool_size=SESSIONS)
        found = await check_sessions(first.url, Pooler.UNPREPARED)
        for statement in found.missing:
            own_postgres._execute(statement)
        second = bouncer(pool_mode="transaction", default_pool_size=SESSIONS)

        assert found.missing == (
            "ALTER ROLE taskriver SET statement_timeout = '3000ms';",
            "ALTER ROLE taskriver SET lock_timeout = '2000ms';",
            "ALTER ROLE taskriver SET idle_in_transaction_session_timeout = '10000ms';",
        )
        assert (await check_sessions(second.url, Pooler.UNPREPARED)).missing == ()

    async def test_the_limits_of_the_pooler_are_read(self, bouncer: Bouncer):
        """By a user who may read them."""
        pooler = bouncer(pool_mode="transaction", default_pool_size=SESSIONS, reserve_pool_size=2)
        found = await read_pgbouncer(pooler.url)

        assert found is not None
        assert found.version
        assert (found.pool_mode, found.clients, found.sessions) == ("transaction", 200, SESSIONS + 2)

    async def test_limits_that_must_not_be_read_are_unknown(self, bouncer: Bouncer, own_postgres: Postgres):
        """PgBouncer refuses others, and PostgreSQL has no such database."""
        assert await read_pgbouncer(bouncer(pool_mode="transaction", stats_users="another").url) is None
        assert await read_pgbouncer(own_postgres.url) is None


class TestCommands:
    def run(self, folder: Path, *arguments: str, **settings: object) -> tuple[int, str]:
        """The exit code of a command, and what it prints."""
        command = Command(*arguments, folder=folder, environment=environment(**settings))
        code = command.ends()
        printed = command.out + command.err
        command.clean_up()
        return code, printed

    async def test_migrations_use_the_direct_connection(self, bouncer: Bouncer, own_postgres: Postgres, tmp_path: Path):
        """Without it they are refused, and change nothing."""
        url = own_postgres.create_database(f"direct_{next(_numbers)}")
        pooler = bouncer(pool_mode="transaction", default_pool_size=SESSIONS)
        settings = {"DATABASE_URL": pooler.through(url), "DATABASE_POOLER": "unprepared"}
        refused = self.run(tmp_path, "migrate", **settings)
        wrong = self.run(tmp_path, "migrate", DATABASE_DIRECT_URL=pooler.through(url), **settings)
        done = self.run(tmp_path, "migrate", DATABASE_DIRECT_URL=url, **settings)

        assert (refused[0], wrong[0]) == (2, 1)
        assert "DATABASE_DIRECT_URL must be set" in refused[1]
        assert "DATABASE_DIRECT_URL must lead to PostgreSQL" in wrong[1]
        assert done == (0, "The database is up to date.\n")

    async def test_a_server_serves_and_streams(
        self, bouncer: Bouncer, migrated: str, new_redis: Callable[[], str], tmp_path: Path, world: World
    ):
        """As it is deployed: an event reaches a subscriber, and doctor accepts the pooler."""
        pooler = bouncer(pool_mode="transaction", default_pool_size=SESSIONS)
        settings = {
            "DATABASE_URL": pooler.through(migrated),
            "DATABASE_DIRECT_URL": migrated,
            "DATABASE_POOLER": "unprepared",
            "DATABASE_POOL_SIZE": 4,
            "REDIS_URL": new_redis(),
            "BCRYPT_ROUNDS": 4,
        }
        server = Served(folder=tmp_path, **settings)
        try:
            await server.ready()
            token = await world.signed_in(server, await world.a_user(server))
            async with listening(world, server, token, CHANGES) as socket, asyncio.timeout(HANG_SECONDS):
                await create(world, server, token, "Through the pooler")
                assert await title(socket) == "Through the pooler"
            assert (await world.ask(server, CURSOR, token)).data
            _, printed = self.run(tmp_path, "doctor", **settings)
        finally:
            server.clean_up()

        assert "PgBouncer" in printed
        assert "pool_mode transaction" in printed
        assert "direct connection" in printed
        assert "the same database" in printed
