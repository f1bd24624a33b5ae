"""Commands beside a newer version report unknown values in one line, without a traceback."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest

from persistence.database import Database
from tests.cli.conftest import Run
from tests.domain.test_event_parsing import task_payload
from tests.domain.test_stream_cursor import encoded
from tests.support import newer_version
from tests.support.builders import Builders

ID = "0199e2a5-1f3b-7d48-8c0e-6a9b4e2d7f31"
CHECKS = {
    ("tasks", "ck_tasks_status"): "status <> 'BLOCKED'",
    ("tasks", "ck_tasks_priority"): "priority BETWEEN 1 AND 4",
    ("users", "ck_users_role"): "role <> 'AUDITOR'",
}

Execute = Callable[[str], None]


@pytest.fixture
def execute(ask: Any) -> Execute:
    """Run a statement like a newer version."""

    async def statement(database: Database, text: str) -> None:
        async with database.engine.begin() as connection:
            await connection.exec_driver_sql(text)

    return lambda text: ask(lambda database: statement(database, text))


@pytest.fixture
def newer(users: None, execute: Execute, ask: Any) -> Iterator[None]:
    """A task of alice, in tables with values that this version does not know."""

    async def a_task(database: Database) -> None:
        async with Builders(database).as_(None) as uow:
            alice = await uow.users.find_by_name("alice")
        await Builders(database).a_task(alice)

    for table, check in CHECKS:
        execute(f"ALTER TABLE {table} DROP CONSTRAINT {check}")
    ask(a_task)
    yield
    ask(Builders.clear)
    for (table, check), condition in CHECKS.items():
        execute(f"ALTER TABLE {table} ADD CONSTRAINT {check} CHECK ({condition})")


@pytest.mark.usefixtures("newer")
class TestTables:
    @pytest.mark.parametrize(
        ("change", "named"),
        [
            ("UPDATE tasks SET status = 'BLOCKED'", "status 'BLOCKED'"),
            ("UPDATE tasks SET priority = 7", "priority 7"),
            ("UPDATE users SET role = 'AUDITOR' WHERE username = 'alice'", "role 'AUDITOR'"),
        ],
    )
    @pytest.mark.parametrize("file", ["tasks.jsonl", "tasks.csv"])
    def test_an_export_names_an_unknown_value(
        self, run: Run, database_url: str, execute: Execute, change: str, named: str, file: str
    ):
        """No file is left."""
        execute(change)
        result = run("export", file, "--as", "alice", DATABASE_URL=database_url)

        advice = "A newer version wrote it: use that version."
        assert (result.code, result.refusal) == (1, f"This version does not know the {named} in the database. {advice}")

    def test_unknown_columns_are_left_out(self, export_file: Any, execute: Execute):
        """The known fields of a task are exported."""
        execute("ALTER TABLE tasks ADD COLUMN sprint text")
        [task], _ = export_file("alice")
        execute("ALTER TABLE tasks DROP COLUMN sprint")

        assert task["status"] == "TODO"
        assert "sprint" not in task


@pytest.mark.usefixtures("users")
class TestFiles:
    @pytest.mark.parametrize(
        ("values", "problem"),
        [
            ({"status": "BLOCKED"}, "status must be one of TODO, IN_PROGRESS, DONE, CANCELLED."),
            ({"priority": "CRITICAL"}, "priority must be one of LOW, MEDIUM, HIGH, URGENT."),
            ({"sprint": ["x"]}, "'sprint' is not a field. The fields are "),
            ({"status": 5}, "status must be text."),
            ({"dueAt": {"at": 1}}, "dueAt must be text."),
        ],
    )
    def test_an_import_names_the_line(self, import_file: Any, values: dict[str, Any], problem: str):
        """The message lists the known values."""
        result = import_file([{"id": ID, "title": "x"} | values])

        assert result.code == 1
        assert result.refusal.startswith(f"line 1: {problem}")

    def test_unknown_columns_of_an_export_can_be_ignored(self, import_file: Any, export_file: Any):
        """As the message says; the last line is accepted with other keys and any cursor."""
        last = {"streamCursor": encoded("s3.e.1.1"), "tasks": 1, "sprints": 0}
        result = import_file([{"id": ID, "title": "x", "sprint": []}, last], "--ignore", "sprint")
        [task], _ = export_file("alice")

        assert result.code == 0
        assert task["id"] == ID


@pytest.mark.usefixtures("users")
def test_an_import_beside_newer_events(import_file: Any, ask: Any):
    """Unknown events are no deletions: their task is imported."""
    payload = task_payload(task=ID)
    events = [
        ("COMMENT", {"changes": ["DELETED"]}),
        ("TASK", {**payload, "after": {"team": 1}}),
        ("TASK", {**payload, "changes": ["COLOR"], "to": "BLOCKED"}),
        ("TASK", None),
    ]

    async def write(database: Database) -> None:
        await newer_version.take_any_kind(database)
        await newer_version.record(database, UUID(ID), *events)

    ask(write)
    result = import_file([{"id": ID, "title": "x"}], "--json")
    ask(newer_version.take_known_kinds)

    assert json.loads(result.out)["created"] == 1
