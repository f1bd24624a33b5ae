"""Each migration takes its strongest lock on a table first, and copies nothing while it keeps writers waiting.

Seen on a real server: after every statement of a migration, the locks that its transaction holds on tables and views
that were there before it.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import Engine, event

from persistence import migrations, schema_check
from persistence.database import Database

STRENGTH = {
    "ShareUpdateExclusiveLock": 1,
    "ShareLock": 2,
    "ShareRowExclusiveLock": 3,
    "ExclusiveLock": 4,
    "AccessExclusiveLock": 5,
}
"""Locks that a statement which only reads and writes rows never takes, the weakest first."""
BLOCKS_WRITERS = 2

TABLES = """
SELECT oid::bigint, relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v') AND relname <> 'alembic_version'
"""
HELD = "SELECT relation::bigint, mode FROM pg_locks WHERE pid = pg_backend_pid() AND granted AND relation IS NOT NULL"
LONG = re.compile(r"^\s*(INSERT\s.*\sSELECT|UPDATE|DELETE|CREATE (UNIQUE )?INDEX|WITH)\s", re.IGNORECASE | re.DOTALL)
WRITTEN_AFTER_TASKS = ("task_texts", "comments")
"""Triggers and changes that have locked a task write these tables. A migration that locks them first waits in vain."""
ONE_ROW = ("event_head", "log_state", "alembic_version")
REVISIONS = list(schema_check.revisions())


class Locks:
    """The locks of a migration; `faults` lists what is wrong."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self._tables: dict[int, str] | None = None
        self._held: dict[str, int] = {}

    def begun(self, connection: Any) -> None:
        """A transaction begins."""
        self._held = {}

    def executed(self, connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        """A statement has run."""
        tables = self._before(connection)
        before, self._held = self._held, _held(connection, tables)
        self._check(statement, before)

    def _check(self, statement: str, before: dict[str, int]) -> None:
        for table, strength in self._held.items():
            if strength > before.get(table, 0) and not statement.startswith("LOCK TABLE"):
                self.faults.append(f"locks {table} by {_line(statement)}")
            if before and statement.startswith("LOCK TABLE"):
                self.faults.append(f"locks more when it has locks already: {_line(statement)}")
        if re.search(rf"LOCK TABLE .*\b({'|'.join(WRITTEN_AFTER_TASKS)})\b.*\btasks\b", statement):
            self.faults.append(f"locks tables in another order than writers: {_line(statement)}")
        if max(before.values(), default=0) >= BLOCKS_WRITERS and _is_long(statement, before):
            self.faults.append(f"keeps writers waiting for {_line(statement)}")

    def _before(self, connection: Any) -> dict[int, str]:
        if self._tables is None:
            self._tables = dict(_rows(connection, TABLES))
        return self._tables

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Observe all statements in the block."""
        listeners = (("begin", self.begun), ("after_cursor_execute", self.executed))
        for name, listener in listeners:
            event.listen(Engine, name, listener)
        try:
            yield
        finally:
            for name, listener in listeners:
                event.remove(Engine, name, listener)


def _rows(connection: Any, query: str) -> list[Any]:
    cursor = connection.connection.cursor()
    try:
        cursor.execute(query)
        return list(cursor.fetchall())
    finally:
        cursor.close()


def _held(connection: Any, tables: dict[int, str]) -> dict[str, int]:
    held: dict[str, int] = {}
    for relation, mode in _rows(connection, HELD):
        if relation in tables and mode in STRENGTH:
            held[tables[relation]] = max(held.get(tables[relation], 0), STRENGTH[mode])
    return held


def _is_long(statement: str, locked: dict[str, int]) -> bool:
    """Whether it handles many rows of a table that was there before."""
    if LONG.search(statement) is None or any(re.search(rf"\b{name}\b", statement) for name in ONE_ROW):
        return False
    target = re.search(r"\bON (\w+)", statement) if "INDEX" in statement.upper() else None
    return target is None or target[1] in locked


def _line(statement: str) -> str:
    return " ".join(statement.split())[:80]


@pytest.fixture
async def database(empty_database: Callable[[], str]) -> Any:
    """An empty database."""
    database = Database(empty_database(), pool_size=1)
    yield database
    await database.close()


async def faults_of(database: Database, run: Callable[[], Any]) -> list[str]:
    """What was wrong with the locks of a migration."""
    locks = Locks()
    with locks.watched():
        await run()
    return locks.faults


@pytest.mark.parametrize(("before", "revision"), [(None, REVISIONS[0]), *pairwise(REVISIONS)])
async def test_a_migration_locks_first_and_copies_without_locks(database: Database, before: str | None, revision: str):
    """For upgrades only: no server runs during a downgrade."""
    if before is not None:
        await migrations.upgrade(database.engine, before)
    assert await faults_of(database, lambda: migrations.upgrade(database.engine, revision)) == []


BAD = {
    "a lock that grows": (
        [
            "CREATE TRIGGER t AFTER INSERT ON tasks EXECUTE FUNCTION suppress_redundant_updates_trigger()",
            "DROP INDEX ix_tasks_title_trgm",
        ],
        "locks tasks by DROP INDEX",
    ),
    "no lock before": (["ALTER TABLE users ADD COLUMN nickname text"], "locks users by ALTER TABLE"),
    "a second lock": (
        ["LOCK TABLE users IN ACCESS EXCLUSIVE MODE", "LOCK TABLE tasks IN ACCESS EXCLUSIVE MODE"],
        "locks more when it has locks already",
    ),
    "another order than writers": (
        ["CREATE TABLE task_texts (id uuid)", "LOCK TABLE users, task_texts, tasks IN ACCESS EXCLUSIVE MODE"],
        "locks tables in another order than writers",
    ),
    "a copy under a lock": (
        [
            "LOCK TABLE tasks IN SHARE ROW EXCLUSIVE MODE",
            "CREATE TABLE copies (id uuid)",
            "INSERT INTO copies SELECT id FROM tasks",
        ],
        "keeps writers waiting for INSERT",
    ),
    "an index that is built under a lock": (
        ["LOCK TABLE tasks IN ACCESS EXCLUSIVE MODE", "CREATE INDEX ix_version ON tasks (version)"],
        "keeps writers waiting for CREATE INDEX",
    ),
}


@pytest.mark.parametrize("case", BAD)
async def test_a_bad_migration_is_noticed(database: Database, case: str):
    """The rule sees what it is there for."""
    await migrations.upgrade(database.engine, "0002")
    statements, fault = BAD[case]

    async def run() -> None:
        async with database.engine.begin() as connection:
            for statement in statements:
                await connection.exec_driver_sql(statement)

    assert any(fault in each for each in await faults_of(database, run))
