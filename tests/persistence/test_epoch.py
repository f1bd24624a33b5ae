"""The server of the log: it is remembered, and statements on another one are refused."""

import asyncio
import logging
import os
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text, update

from domain.errors import Unavailable
from embedded.postgres import Postgres
from persistence.database import Database
from persistence.epoch import _SYNCHRONOUS, DatabaseIdentity, OtherServer
from persistence.event_log import EventLog, Observation
from persistence.models import LogStateRow
from tests.support.waiting import HANG_SECONDS

PLAIN = "plain"
UNKNOWN = DatabaseIdentity(None, None, None, None)


@pytest.fixture
async def database(new_database: Callable[[], str]) -> AsyncIterator[Database]:
    """A database whose server is not remembered yet."""
    database = Database(new_database(), pool_size=8)
    yield database
    await database.close()


async def seen(database: Database, position: int = 0) -> Observation:
    """The log as a process sees it."""
    async with database.log() as log:
        return await log.observe(position)


async def pretend(database: Database, **values: Any) -> None:
    """Let the log remember something else."""
    async with database.engine.begin() as connection:
        await connection.execute(update(LogStateRow).values(values))


class TestRemembered:
    async def test_a_server_is_remembered_with_all_parts(self, database: Database):
        """Then nothing is new, and the epoch is the same."""
        first = await seen(database)
        assert first.server.remembered == UNKNOWN
        assert not first.server.here.contradicts(UNKNOWN)
        assert None not in (first.server.here.system_id, first.server.here.timeline)
        async with database.log() as log:
            await log.remember(first)
            again = await log.observe(0)
        assert again.server.remembered == first.server.here
        assert again.server.is_remembered
        assert again.head == first.head

    @pytest.mark.parametrize("part", ["system_id", "timeline", "database_id", "table_id"])
    async def test_each_part_of_the_identity_counts(self, database: Database, part: str):
        """Only the timeline can change without another database."""
        await pretend(database, **{part: 4711})
        server = (await seen(database)).server
        assert server.identity.contradicts(server.remembered)
        assert server.identity.is_on_another_timeline(server.remembered) is (part == "timeline")

    async def test_a_promotion_is_remembered_with_its_position(self, database: Database):
        """Cursors without a fingerprint name it from then on."""
        first = await seen(database)
        await pretend(database, timeline=4711, trimmed=9)
        promoted = await seen(database)
        async with database.log() as log:
            await log.remember(promoted)
            head = await log.head()
        assert (head.epoch, head.promoted) == (first.head.epoch, 9)
        assert head.cursor_epoch == f"{head.epoch}@9"
        async with database.connect() as connection:
            assert await connection.scalar(text("SELECT cursor_epoch FROM event_head")) == head.cursor_epoch

    async def test_nothing_is_remembered_if_the_log_has_changed_since(self, database: Database):
        """Another process has remembered a server, or has started an epoch."""
        first = await seen(database)
        await pretend(database, timeline=4711)
        async with database.log() as log:
            await log.remember(first)
            assert (await log.observe(0)).server.remembered.timeline == 4711
            await log.begin_epoch()
            await log.remember(replace(first, server=replace(first.server, remembered=DatabaseIdentity(*[None] * 4))))
            assert (await log.observe(0)).server.remembered.timeline == 4711

    async def test_eight_processes_start_one_epoch(self, database: Database, caplog: pytest.LogCaptureFixture):
        """All of them detect the same change."""
        await pretend(database, system_id=1, promoted=7)
        before = await seen(database)

        async def begin() -> None:
            async with database.log() as log:
                await log.begin_epoch_on(before)

        with caplog.at_level(logging.WARNING, "taskriver.database"):
            await asyncio.gather(*(begin() for _ in range(8)))
        after = await seen(database)
        assert after.head.epoch != before.head.epoch
        assert (after.head.promoted, after.server.is_remembered) == (0, True)
        assert len(caplog.records) == 1


class TestFacts:
    @pytest.mark.parametrize(
        ("names", "commit", "waits"), [("''", "on", False), ("'x'", "on", True), ("'x'", "local", False)]
    )
    async def test_whether_commits_wait_for_a_standby(self, database: Database, names: str, commit: str, waits: bool):
        """Both settings count. The names are a setting of the server, which this test must not change for others."""
        expression = _with_settings(synchronous_standby_names=names, synchronous_commit=f"'{commit}'")
        async with database.connect() as connection:
            assert await connection.scalar(text(f"SELECT {expression}")) is waits

    async def test_the_fingerprint_is_that_of_the_position(self, database: Database):
        """Of the last event removed, too; unknown at other positions."""
        async with database.engine.begin() as connection:
            await connection.execute(text(_EVENTS))
            await connection.execute(text("SELECT number_events(10)"))
            rows = await connection.execute(text("SELECT position, fingerprint FROM events"))
            fingerprints: dict[int, int] = {row.position: row.fingerprint for row in rows}
        for position in range(5):
            assert (await seen(database, position)).fingerprint == fingerprints.get(position)


_EVENTS = """
INSERT INTO events (kind, payload, recorded_at)
SELECT 'ACCESS', jsonb_build_object('user', gen_random_uuid()), now() FROM generate_series(1, 3)
"""


def _with_settings(**settings: str) -> str:
    found = _SYNCHRONOUS
    for name, value in settings.items():
        found = found.replace(f"current_setting('{name}')", value)
    return found


class TestOtherServers:
    async def test_statements_on_another_server_are_refused(self, database: Database):
        """All that follow the log, and not the observation; the connection is closed."""
        server = (await seen(database)).server
        database.log_server.accept(replace(server, here=replace(server.here, timeline=4711)))
        statements: list[Callable[[EventLog], Awaitable[object]]] = [
            lambda log: log.number(),
            lambda log: log.after(0),
            lambda log: log.access_between(0, 1),
            lambda log: log.fingerprint_at(1),
        ]
        for statement in statements:
            with pytest.raises(OtherServer):
                async with database.log() as log:
                    await statement(log)
            assert database.connections[1] == 0
        database.log_server.accept((await seen(database)).server)
        async with database.log() as log:
            assert await log.after(0) == []


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
        """Any role can read all parts."""
        here = (await seen(plain)).server.here
        assert None not in (here.system_id, here.timeline, here.database_id, here.table_id)

    async def test_a_server_that_refuses_the_functions(
        self, database: Database, plain: Database, caplog: pytest.LogCaptureFixture
    ):
        """The remaining parts count, and one line is logged."""
        first = await seen(database)
        async with database.log() as log:
            await log.remember(first)
        async with database.engine.begin() as connection:
            await connection.execute(text("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC"))
        with caplog.at_level(logging.INFO, "taskriver.database"):
            with pytest.raises(Unavailable):
                await seen(plain)
            server = (await seen(plain)).server
        assert caplog.text.count("reset-epoch") == 1
        assert (server.here.system_id, server.here.timeline) == (None, None)
        assert server.is_remembered
        plain.log_server.accept(server)
        async with plain.log() as log:
            assert await log.after(0) == []
        await pretend(database, table_id=7)
        assert (await seen(plain)).server.identity.contradicts((await seen(plain)).server.remembered)


class TestRestore:
    @pytest.mark.parametrize("into", ["itself", "another"])
    async def test_a_dump(
        self,
        postgres: Postgres,
        database: Database,
        new_database: Callable[[], str],
        into: str,
    ):
        """A dump that was restored over its own database, or into another one, is another database."""
        async with database.log() as log:
            await log.remember(await log.observe(0))
        target = database if into == "itself" else Database(new_database(), pool_size=1)
        dump = _client(postgres, "pg_dump", "--format=custom", str(database.engine.url.database))
        name = f"--dbname={target.engine.url.database}"
        _client(postgres, "pg_restore", "--clean", "--if-exists", name, stdin=dump)
        server = (await seen(target)).server
        if target is not database:
            await target.close()

        assert server.remembered != UNKNOWN
        assert server.identity.contradicts(server.remembered)
        assert not server.identity.is_on_another_timeline(server.remembered)


def _client(postgres: Postgres, program: str, *arguments: str, stdin: bytes = b"") -> bytes:
    command: list[Any] = [postgres._programs.folder / program, *arguments]
    environment = {**os.environ, **postgres._libpq_environment()}
    return subprocess.run(
        command, input=stdin, env=environment, check=True, capture_output=True, timeout=HANG_SECONDS
    ).stdout
