"""`taskriver import` and `export` of tasks in projects."""

import json
from pathlib import Path
from typing import Any

import pytest

from cli.actor import user_of
from cli.transfer import importer
from cli.transfer.columns import FIELDS
from domain.project import ProjectRole
from persistence.database import Database
from tests.cli.conftest import Run
from tests.support.builders import Builders
from tests.support.processes import Command, environment

NO_PROJECT = "there is no such project, or the owner of the task is not a member of it."
OLDER = tuple(field for field in FIELDS if field not in ("project", "key", "labels", "comments", "parent", "rank"))
"""The fields of an export before there were projects."""


@pytest.fixture(autouse=True)
def projects(users: None, ask: Any) -> None:
    """WEB, which was SITE before: alice is a member, bob a viewer. OLD is archived; HIDDEN has no members."""

    async def make(database: Database) -> None:
        build = Builders(database)
        alice, bob, root = [await user_of(database, name) for name in ("alice", "bob", "root")]
        web = await build.a_project((alice, ProjectRole.MEMBER), (bob, ProjectRole.VIEWER), key="WEB")
        await build.a_key(web, "SITE")
        await build.a_project((alice, ProjectRole.MANAGER), key="APP")
        await build.a_project((alice, ProjectRole.MANAGER), key="OLD", is_archived=True)
        await build.a_project((root, ProjectRole.MANAGER), key="HIDDEN")

    ask(make)


def keys(records: list[dict[str, Any]]) -> dict[str, Any]:
    """The keys of exported tasks by title."""
    return {record["title"]: record["key"] for record in records}


class TestExport:
    def test_a_task_has_its_project_and_its_key(self, import_file: Any, export_file: Any, run: Run, database_url: str):
        """Personal tasks have neither; an empty cell in CSV."""
        import_file([{"id": 1, "title": "There", "project": "WEB"}, {"id": 2, "title": "Mine"}])
        records, _ = export_file("alice")
        table = run("export", "--as", "alice", "--format", "csv", DATABASE_URL=database_url).out

        found = {record["title"]: (record["project"], record["key"]) for record in records}
        assert found == {"There": ("WEB", "WEB-1"), "Mine": (None, None)}
        header, *rows = table.splitlines()
        assert header.endswith(",version,project,key,labels,comments,parent,rank")
        assert {row.partition(",1,")[2] for row in rows} == {"WEB,WEB-1,,,,V0000001", ",,,,,"}

    def test_members_export_the_tasks_of_the_project(self, import_file: Any, export_file: Any):
        """A viewer too; other users do not."""
        import_file([{"id": 1, "title": "There", "project": "WEB"}, {"id": 2, "title": "Mine"}])
        assert keys(export_file("bob")[0]) == {"There": "WEB-1"}
        assert keys(export_file("root")[0]) == {"There": "WEB-1", "Mine": None}


class TestImport:
    @pytest.mark.parametrize("name", ["all.jsonl", "all.csv"])
    def test_an_export_can_be_imported(self, import_file: Any, run: Run, database_url: str, ask: Any, name: str):
        """Into the same projects. Tasks get new numbers, after those of the tasks that were there."""
        lines = [{"id": number, "title": f"Number {number}", "project": "WEB"} for number in range(3)]
        import_file([*lines, {"id": 4, "title": "Mine"}, {"id": 5, "title": "Other", "project": "APP"}])
        exported = run("export", name, "--as", "alice", DATABASE_URL=database_url)
        before = ask(_stored)
        ask(_remove_tasks)
        imported = run("import", name, "--as", "alice", "--json", DATABASE_URL=database_url)

        assert exported.code == 0
        assert json.loads(imported.out)["created"] == 5
        after = ask(_stored)
        assert {title: key for title, (key, _) in after.items()} == {title: key for title, (key, _) in before.items()}
        assert sorted(number for key, number in after.values() if key == "WEB") == [4, 5, 6]
        assert after["Mine"] == (None, None)

    def test_a_current_or_former_key_in_any_case(self, import_file: Any, export_file: Any):
        """All lead to the project; a batch can have several projects."""
        names = ["web", "SITE", "Site", " WEB ", "app", ""]
        lines = [{"id": number, "title": str(number), "project": name} for number, name in enumerate(names)]
        result = import_file(lines)

        assert result.out.startswith("Imported 6 tasks")
        expected = {"0": "WEB-1", "1": "WEB-2", "2": "WEB-3", "3": "WEB-4", "4": "APP-1", "5": None}
        assert keys(export_file("alice")[0]) == expected

    @pytest.mark.parametrize(
        ("line", "expected"),
        [
            ({"project": "NONE"}, f"project 'NONE': {NO_PROJECT}"),
            ({"project": "HIDDEN"}, f"project 'HIDDEN': {NO_PROJECT}"),
            ({"project": "WEB\u017f"}, "project 'WEB\\u017f': there is no such project"),
            ({"project": "Zürich\x00"}, "project 'Z\\xfcrich\\x00': there is no such project"),
            ({"project": "old"}, "project 'old': The project is archived: make it active again"),
            ({"project": "WEB", "owner": "bob"}, "project 'WEB': You may create a task only with the role MEMBER"),
            (
                {"project": "WEB", "assignee": "root"},
                "The assignee is not a member of the task's project; add the user",
            ),
            ({"project": "WEB", "assignee": "gone"}, "assignee 'gone' is not an active user on this server."),
            ({"project": 5}, "project must be text."),
        ],
        ids=str,
    )
    def test_a_refused_task_has_its_line(self, import_file: Any, export_file: Any, line: Any, expected: str):
        """A check lists it, an import stops, and on request only this line is skipped."""
        lines = [{"id": 1, "title": "Good", "project": "WEB"}, {"id": 2, "title": "Bad", **line}]
        options = ("--as", "root", "--owners")
        good = {**lines[0], "owner": "alice"}
        bad = {"owner": "alice", **lines[1]}
        checked = import_file([good, bad], *options, "--check")
        stopped = import_file([good, bad], *options)
        skipped = import_file([good, bad], *options, "--skip-bad")

        assert (checked.code, checked.out) == (3, "Good: 1 line. Bad: 1. Nothing was created.\n")
        assert checked.err.startswith(f"line 2: {expected}")
        assert (stopped.code, stopped.refusal.startswith(f"line 2: {expected}")) == (1, True)
        assert (skipped.code, skipped.err) == (3, checked.err)
        assert keys(export_file("alice")[0]) == {"Good": "WEB-1"}

    @pytest.mark.parametrize("batch_size", [1, 2, 1_000])
    def test_an_import_that_stops_says_how_many_tasks_are_stored(
        self, import_file: Any, ask: Any, monkeypatch: pytest.MonkeyPatch, batch_size: int
    ):
        """Also those behind the bad line: they are in a batch with it, or in one that is written at the same time."""
        monkeypatch.setattr(importer, "BATCH_SIZE", batch_size)
        owners = ("alice", "bob", "alice", "bob", "bob", "alice")
        lines: list[dict[str, Any]] = [
            {"id": number, "title": f"Number {number}", "owner": owner} for number, owner in enumerate(owners)
        ]
        lines[2] |= {"project": "WEB", "assignee": "root"}
        stopped = import_file(lines, "--as", "root", "--owners")
        stored = ask(_stored)

        assert stopped.refusal.startswith("line 3: The assignee is not a member of the task's project")
        assert f"Imported so far: {len(stored)} tasks." in stopped.refusal
        assert {"Number 0", "Number 1"} <= stored.keys()
        assert batch_size < 1_000 or len(stored) == 5

    def test_a_repeated_import_gives_no_second_number(self, import_file: Any, export_file: Any):
        """It continues after the lines that were imported."""
        lines = [{"id": number, "title": str(number), "project": "WEB"} for number in range(5)]
        import_file([*lines[:3], {"id": 9, "title": "Bad", "project": "NONE"}, *lines[3:]])
        again = import_file(lines)

        assert again.out.split(" (")[0] == "Imported 2 tasks"
        assert again.out.endswith("3 existed already.\n")
        assert keys(export_file("alice")[0]) == {str(number): f"WEB-{number + 1}" for number in range(5)}

    def test_a_personal_task_is_not_moved(self, import_file: Any, export_file: Any):
        """With its id it is refused. Without ids, with a source, the lines are new tasks."""
        import_file([{"id": 1, "title": "Mine"}])
        (record,), _ = export_file("alice")
        same_id = import_file([{**record, "project": "WEB"}])
        new_id = import_file([{**record, "project": "WEB"}], "--ignore", "id", "--source", "to WEB")

        assert same_id.refusal.startswith("line 1: A task with this id exists already, in another project or in none.")
        assert new_id.code == 0
        assert sorted(str(each["key"]) for each in export_file("alice")[0]) == ["None", "WEB-1"]

    @pytest.mark.parametrize("name", ["older.jsonl", "older.csv"])
    def test_a_file_of_an_older_version(self, run: Run, database_url: str, tmp_path: Path, name: str):
        """Its tasks are personal."""
        values = dict.fromkeys(OLDER) | {"id": "1", "title": "Old", "status": "TODO", "priority": "LOW", "version": 3}
        cells = ["" if value is None else str(value) for value in values.values()]
        table = f"{','.join(values)}\n{','.join(cells)}\n"
        (tmp_path / name).write_text(table if name.endswith(".csv") else json.dumps(values) + "\n")
        result = run("import", name, "--as", "alice", DATABASE_URL=database_url)

        assert (result.code, result.out.split(" (")[0]) == (0, "Imported 1 task")

    def test_two_imports_at_a_time(self, database_url: str, tmp_path: Path, export_file: Any):
        """Each number of the project is used once."""
        known = environment(DATABASE_URL=database_url)
        commands = []
        for name in ("a", "b"):
            lines = [{"id": f"{name}{n}", "title": f"{name}{n}", "project": "WEB"} for n in range(2_500)]
            (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
            commands.append(Command("import", f"{name}.jsonl", "--as", "alice", folder=tmp_path, environment=known))
        try:
            assert [command.ends() for command in commands] == [0, 0]
        finally:
            for command in commands:
                command.clean_up()
        numbers = sorted(int(record["key"].removeprefix("WEB-")) for record in export_file("alice")[0])
        assert numbers == list(range(1, 5_001))


async def _stored(database: Database) -> dict[str, tuple[str | None, int | None]]:
    query = "SELECT t.title, p.key, t.number FROM tasks AS t LEFT JOIN projects AS p ON p.id = t.project_id"
    async with database.connect() as connection:
        rows = await connection.exec_driver_sql(query)
        return {row.title: (row.key, row.number) for row in rows}


async def _remove_tasks(database: Database) -> None:
    async with database.engine.begin() as connection:
        await connection.exec_driver_sql("TRUNCATE tasks, task_texts, comments, events")
