"""The drill: back up, lose the server, restore it to a point in time, and compare everything with that point."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from cli.demo_data import load_once
from domain.actor import Actor
from embedded.valkey import Valkey
from persistence import migrations
from persistence.database import Database
from tests.drill.archiving_postgres import ArchivingPostgres
from tests.drill.clients import caught_up, changes_after, current_cursor, wrongly_continued
from tests.drill.contents import Contents, contents_of, count_rows, differences
from tests.drill.steps import Steps
from tests.drill.writes import Change, change_all_kinds, change_tasks, known_user, no_hash
from tests.streaming.support import Process, until
from tests.support.processes import Command, environment

POINT = "before-the-mistake"
END = "end-of-the-archive"
"""A point after the changes that the drill wants to lose."""
_LOG_STATE = frozenset({"log_state"})
"""The table of the epoch. `reset-epoch` changes it, and so does the first process after a recovery."""


class RestoreDrill:
    """One run. It recovers to *point*; with another one than `POINT`, the contents differ."""

    def __init__(self, folder: Path, point: str = POINT) -> None:
        self.steps = Steps()
        self._point = point
        self._folder = folder
        (folder / "servers").mkdir()
        self._postgres = ArchivingPostgres(folder / "servers/postgres", folder / "archive")
        self._valkey = Valkey(folder / "servers/valkey")
        self._backup = folder / "backup"
        self._expected: Contents = {}
        self._cursors: dict[str, str] = {}
        self._epochs: list[str] = []
        self._alice: Actor

    async def run(self) -> Steps:
        """Run all steps."""
        try:
            await self._back_up()
            await self._restore()
            await self._compare()
            await self._resume()
        finally:
            await asyncio.to_thread(self._postgres.stop, "immediate")
            await asyncio.to_thread(self._valkey.stop, "immediate")
        return self.steps

    async def _back_up(self) -> None:
        with self.steps.step("start PostgreSQL, which archives its WAL"):
            await asyncio.to_thread(self._postgres.start)
            await asyncio.to_thread(self._valkey.start)
        with self.steps.step("create tables and demo data") as step:
            await self._create_data()
            step.result = f"{count_rows(await contents_of(self._postgres.url))} rows"
        async with self._process() as process:
            self._epochs.append(process.stream.epoch)
            await self._note_cursor(process, "before the backup")
            with self.steps.step("create and verify a base backup"):
                await asyncio.to_thread(self._postgres.base_backup, self._backup)
            with self.steps.step("kill PostgreSQL, start it again, and resume a client") as step:
                problems = await self._lossless_crash(process)
                self.steps.check(step, problems, "the client continues")
            with self.steps.step("make changes, then mark the point in time") as step:
                await change_all_kinds(process.database, self._alice, mark="kept")
                await self._note_cursor(process, "at the point")
                await self._mark_point()
                step.result = f"{count_rows(self._expected)} rows"
            with self.steps.step("make changes that the recovery removes") as step:
                await change_all_kinds(process.database, self._alice, mark="lost")
                await self._note_cursor(process, "after the point")
                await self._archive_all()
                step.result = f"{count_rows(await contents_of(self._postgres.url))} rows"
            with self.steps.step("kill PostgreSQL and delete its data"):
                await asyncio.to_thread(self._postgres.lose)

    async def _restore(self) -> None:
        with self.steps.step("restore the backup and recover to the point"):
            await asyncio.to_thread(self._postgres.restore, self._backup, self._point)

    async def _compare(self) -> None:
        url = self._postgres.url
        with self.steps.step("compare all tables with the point") as step:
            problems = differences(self._expected, await contents_of(url))
            self.steps.check(step, problems, f"{len(self._expected)} tables, {count_rows(self._expected)} rows")
        with self.steps.step("start a process: it detects the recovery") as step:
            async with self._process() as process:
                self.steps.check(step, await self._wrong_epoch(process), f"{len(self._cursors)} cursors refused")
        with self.steps.step("taskriver migrate"):
            await self._command("migrate")
        with self.steps.step("taskriver stream reset-epoch --yes"):
            await self._command("stream", "reset-epoch", "--yes")
        with self.steps.step("compare all tables again") as step:
            problems = differences(self._expected, await contents_of(url), without=_LOG_STATE)
            self.steps.check(step, problems, "only log_state differs")

    async def _resume(self) -> None:
        async with self._process() as process:
            with self.steps.step("resume clients with old cursors") as step:
                self.steps.check(step, await self._wrong_epoch(process), f"{len(self._cursors)} cursors refused")
            with self.steps.step("make changes, and resume with new cursors") as step:
                cursor = await current_cursor(process, self._alice)
                expected = await change_tasks(process.database, self._alice, mark="new")
                received, cursors = await changes_after(process, self._alice, cursor, len(expected))
                rest, _ = await changes_after(process, self._alice, cursors[4], len(expected) - 5)
                problems = _unequal(received, expected) + _unequal(rest, expected[5:])
                self.steps.check(step, problems, f"{len(received)} and {len(rest)} events received")
            with self.steps.step("kill PostgreSQL, start it again, and resume a client") as step:
                problems = await self._lossless_crash(process)
                self.steps.check(step, problems, "the client continues")

    async def _lossless_crash(self, process: Process) -> list[str]:
        """Problems of a client whose server is killed and keeps its data: it continues without a resync."""
        cursor = await current_cursor(process, self._alice)
        await asyncio.to_thread(self._postgres.kill)
        await asyncio.to_thread(self._postgres.start)
        await caught_up(process, self._postgres.url)
        expected = await change_tasks(process.database, self._alice, mark=f"crash {len(self.steps.steps)}")
        received, _ = await changes_after(process, self._alice, cursor, len(expected))
        return _unequal(received, expected)

    async def _wrong_epoch(self, process: Process) -> list[str]:
        """Problems of a process after a recovery or a reset: its epoch is a known one, or a client may continue."""
        await until(lambda: process.stream.epoch)
        problems = ["the epoch is the same as before"] if process.stream.epoch in self._epochs else []
        self._epochs.append(process.stream.epoch)
        return problems + await wrongly_continued(process, self._alice, self._cursors)

    async def _create_data(self) -> None:
        database = Database(self._postgres.url, pool_size=4)
        try:
            await migrations.upgrade(database.engine)
            await load_once(database, no_hash, announce=lambda: None)
            self._alice = await known_user(database, "alice")
        finally:
            await database.close()

    async def _note_cursor(self, process: Process, name: str) -> None:
        await caught_up(process, self._postgres.url)
        self._cursors[name] = await current_cursor(process, self._alice)

    async def _mark_point(self) -> None:
        """Create the restore point, and check that nothing changes meanwhile."""
        self._expected = await contents_of(self._postgres.url)
        await self._ask("SELECT pg_create_restore_point($1)", POINT)
        assert await contents_of(self._postgres.url) == self._expected

    async def _archive_all(self) -> None:
        """Archive the current WAL file, which is not complete."""
        await self._ask("SELECT pg_create_restore_point($1)", END)
        name = await self._ask("SELECT pg_walfile_name(pg_switch_wal())")
        await until((self._postgres.archive / str(name)).exists)

    async def _ask(self, statement: str, *arguments: object) -> object:
        connection = await asyncpg.connect(self._postgres.url.replace("+asyncpg", ""))
        try:
            return await connection.fetchval(statement, *arguments)
        finally:
            await connection.close()

    async def _command(self, *arguments: str) -> None:
        command = Command(*arguments, folder=self._folder, environment=environment(DATABASE_URL=self._postgres.url))
        try:
            status = await asyncio.to_thread(command.ends)
            assert status == 0, command.err
        finally:
            command.clean_up()

    @asynccontextmanager
    async def _process(self) -> AsyncIterator[Process]:
        """A process of the API that reads the log."""
        process = Process(self._postgres.url, self._valkey.url, "drill")
        await process.stream.start()
        try:
            await until(lambda: process.stream.epoch)
            yield process
        finally:
            await process.stop()


def _unequal(received: list[Change], expected: list[Change]) -> list[str]:
    """The problem of a client that did not receive these changes in this order."""
    return [] if received == expected else ["events are missing or wrong"]
