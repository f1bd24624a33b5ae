"""Migrations only expand: servers of the previous release work on the tables after each of them.

`tests/project_rules/baseline/tables.json` has the tables and columns that the release uses. What it does not use can be
dropped. `tests/chaos/test_upgrade.py` runs the release's code.
"""

import json
from collections.abc import AsyncIterator, Callable
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import text

from persistence import migrations, schema_check
from persistence.database import Database
from tests.persistence.catalogue import Used, breaks, catalogue_of, refused_rows
from tools.used_tables import used

BASELINE = Path(__file__).parents[1] / "project_rules" / "baseline" / "tables.json"
RELEASE = json.loads(BASELINE.read_text())
USED: Used = {table: frozenset(columns) for table, columns in RELEASE["tables"].items()}
REVISIONS = list(schema_check.revisions())
LATER = REVISIONS[REVISIONS.index(RELEASE["revision"]) :]


@pytest.fixture
async def database(empty_database: Callable[[], str]) -> AsyncIterator[Database]:
    """A database with the tables of the release."""
    database = Database(empty_database(), pool_size=1)
    await migrations.upgrade(database.engine, RELEASE["revision"])
    yield database
    await database.close()


async def test_the_release_works_after_each_migration(database: Database):
    """Every table, column, constraint and function that it uses is as it was, and its rows are accepted."""
    before = await catalogue_of(database)
    found = {}
    for _, revision in pairwise(LATER):
        await migrations.upgrade(database.engine, revision)
        found[revision] = [*breaks(before, await catalogue_of(database), USED), *await refused_rows(database, USED)]
    assert {revision: lines for revision, lines in found.items() if lines} == {}


async def test_the_baseline_has_the_tables_of_the_release(database: Database):
    """All of them; another table is one that the release does not use."""
    found = (await catalogue_of(database)).relations
    assert {table: columns - found[table].columns.keys() for table, columns in USED.items()} == {
        table: frozenset() for table in USED
    }
    assert found.keys() - USED.keys() == {"alembic_version"}


async def test_this_version_can_become_the_baseline(database: Database):
    """What the tool prints for it is in its database."""
    await migrations.upgrade(database.engine)
    found = (await catalogue_of(database)).relations
    current = used()
    assert current["revision"] == REVISIONS[-1]
    assert current["tables"].keys() <= found.keys()
    for table, columns in current["tables"].items():
        assert set(columns) <= found[table].columns.keys()


BAD = {
    "a dropped table": ("DROP TABLE idempotency_keys", "idempotency_keys is gone"),
    "a renamed table": ("ALTER TABLE tasks RENAME TO cards", "tasks is gone"),
    "a dropped column": ("ALTER TABLE tasks DROP COLUMN due_at", "tasks.due_at is gone"),
    "a renamed column": ("ALTER TABLE users RENAME email TO mail", "users.email is gone"),
    "another type": (
        "ALTER TABLE tasks ALTER version TYPE bigint",
        "tasks.version was integer and is bigint",
    ),
    "a shorter text": (
        "ALTER TABLE sessions ALTER user_agent TYPE varchar(100)",
        "sessions.user_agent was character varying(512) and is character varying(100)",
    ),
    "a longer text": (
        "ALTER TABLE sessions ALTER user_agent TYPE varchar(600)",
        "sessions.user_agent was character varying(512) and is character varying(600)",
    ),
    "a text without a limit": (
        "ALTER TABLE sessions ALTER user_agent TYPE text",
        "sessions.user_agent was character varying(512) and is text",
    ),
    "NOT NULL": ("ALTER TABLE tasks ALTER due_at SET NOT NULL", "tasks.due_at must not be null any more"),
    "no default": ("ALTER TABLE events ALTER id DROP IDENTITY", "events.id has no default any more"),
    "a required column": (
        "ALTER TABLE users ADD nickname text NOT NULL",
        "users.nickname is required, and the server does not know it",
    ),
    "a required column by a constraint": (
        "ALTER TABLE users ADD nickname text, ADD CONSTRAINT ck_nickname CHECK (nickname IS NOT NULL)",
        "users: the constraint ck_nickname refuses rows of the server",
    ),
    "a constraint": (
        "ALTER TABLE tasks ADD CONSTRAINT ck_title CHECK (title <> '')",
        "tasks: the constraint ck_title is new",
    ),
    "a narrower constraint": (
        "ALTER TABLE events DROP CONSTRAINT ck_events_kind, ADD CONSTRAINT ck_events_kind CHECK (kind IN ('TASK'))",
        "events: the constraint ck_events_kind is new",
    ),
    "a foreign key": (
        "ALTER TABLE events ADD CONSTRAINT fk_events FOREIGN KEY (task_id) REFERENCES tasks",
        "events: the constraint fk_events is new",
    ),
    "no cascade": (
        "ALTER TABLE task_texts DROP CONSTRAINT fk_task_texts_task_id",
        "task_texts: the constraint fk_task_texts_task_id is gone",
    ),
    "a unique index": ("CREATE UNIQUE INDEX u ON tasks (owner_id, title)", "tasks: a unique index is new"),
    "no unique index": ("DROP INDEX uq_users_email_lower", "users: the unique index is gone"),
    "no function": ("DROP FUNCTION number_events CASCADE", "the function number_events(integer) is gone"),
}
GOOD = {
    "a table": "CREATE TABLE notes (id uuid PRIMARY KEY, text text NOT NULL)",
    "a column that can be null": "ALTER TABLE tasks ADD color text",
    "a column with a default": "ALTER TABLE tasks ADD color text NOT NULL DEFAULT 'red' CHECK (color <> '')",
    "one more kind": (
        "ALTER TABLE events DROP CONSTRAINT ck_events_kind,"
        " ADD CONSTRAINT ck_events_kind CHECK (kind IN ('TASK', 'ACCESS', 'NOTE'))"
    ),
    "an index": "CREATE INDEX i ON tasks (version)",
    "a unique index of new columns": (
        "ALTER TABLE tasks ADD color text UNIQUE;"
        " CREATE UNIQUE INDEX u ON tasks (title, lower(color)) WHERE color <> ''"
    ),
}


async def faults_of(database: Database, statements: str) -> list[str]:
    """What the rule finds in a migration of these statements."""
    before = await catalogue_of(database)
    async with database.engine.begin() as connection:
        for statement in statements.split("; "):
            await connection.execute(text(statement))
    found = breaks(before, await catalogue_of(database), USED)
    return found or await refused_rows(database, USED)


@pytest.mark.parametrize("case", BAD)
async def test_a_migration_that_breaks_the_release_is_found(database: Database, case: str):
    """By one line, which names what is missing."""
    statements, fault = BAD[case]
    found = await faults_of(database, statements)
    assert [line for line in found if line.startswith(fault)], found


@pytest.mark.parametrize("case", GOOD)
async def test_a_migration_that_expands_is_allowed(database: Database, case: str):
    """The release does not notice it."""
    assert await faults_of(database, GOOD[case]) == []


async def test_a_column_that_the_release_does_not_use_can_be_dropped(database: Database):
    """That is how a change is completed: a later release contracts what an earlier one has expanded."""
    assert await faults_of(database, "ALTER TABLE tasks ADD color text; ALTER TABLE tasks DROP color") == []
    unused = dict(USED) | {"tasks": USED["tasks"] - {"due_at"}}
    before = await catalogue_of(database)
    async with database.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE tasks DROP COLUMN due_at"))
    assert breaks(before, await catalogue_of(database), unused) == []
