"""`taskriver import` and `export`."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from cli.transfer.formats import MAX_LINE
from domain.stream_cursor import StreamCursor
from domain.task import TaskStatus
from persistence.database import Database
from tests.cli.conftest import Run
from tests.support.builders import Builders

pytestmark = pytest.mark.usefixtures("users")


class TestThereAndBack:
    @pytest.mark.parametrize("name", ["all.jsonl", "all.csv"])
    def test_an_export_can_be_imported(self, run: Run, database_url: str, ask: Any, name: str):
        """All is equal except versions and times of change."""
        self._some_tasks(ask)
        exported = run("export", name, "--as", "root", DATABASE_URL=database_url)
        before = self._everything(ask)
        users_stay = "TRUNCATE tasks, task_texts, comments, events"
        ask(lambda database: self._execute(database, users_stay))
        imported = run("import", name, "--as", "root", "--owners", "--json", DATABASE_URL=database_url)

        assert exported.code == 0
        assert exported.out == ""
        assert re.fullmatch(r"Exported 4 tasks \([\d,]+/s\)\. Stream cursor: \S+\n", exported.err)
        assert json.loads(imported.out)["created"] == 4
        assert self._everything(ask) == before

    def test_the_stream_continues_at_the_end_of_an_export(self, import_file: Any, export_file: Any, ask: Any):
        """JSON Lines end with the cursor of the snapshot and a count; an import ignores this line."""
        import_file([{"id": "1", "title": "One"}])
        ask(self._number)
        records, last = export_file("alice")
        cursor = StreamCursor.decode(last["streamCursor"])
        again = import_file([*records, last])

        assert last["tasks"] == 1
        assert (cursor.position, cursor.access_version) == (1, 1)
        assert again.out.endswith("1 existed already.\n")

    def test_an_export_is_complete_or_absent(self, run: Run, database_url: str, tmp_path: Path):
        """A failed export leaves an older file unchanged, and no other file."""
        (tmp_path / "tasks.jsonl").write_text("older\n")
        result = run("export", "tasks.jsonl", "--as", "nobody", DATABASE_URL=database_url)

        assert (result.code, result.refusal) == (1, "There is no user 'nobody'; `taskriver user create` creates one.")
        assert [path.name for path in tmp_path.iterdir()] == ["tasks.jsonl"]
        assert (tmp_path / "tasks.jsonl").read_text() == "older\n"

    def test_the_cursor_of_a_csv_export(self, run: Run, database_url: str, tmp_path: Path):
        """CSV has no place for a cursor; it is written to a separate file."""
        result = run("export", "t.csv", "--as", "bob", "--cursor-to", "cursor", DATABASE_URL=database_url)

        assert result.code == 0
        assert StreamCursor.decode((tmp_path / "cursor").read_text().strip()).access_version == 1
        assert (tmp_path / "t.csv").read_text().startswith("id,title,")

    def _some_tasks(self, ask: Any) -> None:
        async def make(database: Database) -> None:
            async with Builders(database).as_(None) as uow:
                alice = await uow.users.find_by_name("alice")
                bob = await uow.users.find_by_name("bob")
            assert alice is not None
            assert bob is not None
            for number, status in enumerate(TaskStatus):
                await Builders(database).a_task(
                    (alice, bob)[number % 2],
                    assignee_id=bob.id if number == 2 else None,
                    title=f'Number "{number}", ünd 😀; =1+1',
                    description="Two\nlines\twith a tab" if number else "",
                    status=status,
                )

        ask(make)
        ask(lambda database: self._execute(database, "UPDATE tasks SET completed_at = now() WHERE status = 'DONE'"))

    def _everything(self, ask: Any) -> list[Any]:
        async def look(database: Database) -> list[Any]:
            query = (
                "SELECT id, title, description, status, priority, due_at, owner_id, assignee_id, created_at,"
                " completed_at FROM tasks ORDER BY id"
            )
            async with database.connect() as connection:
                return [tuple(row) for row in await connection.exec_driver_sql(query)]

        found: list[Any] = ask(look)
        return found

    async def _execute(self, database: Database, statement: str) -> None:
        async with database.engine.begin() as connection:
            await connection.exec_driver_sql(statement)

    async def _number(self, database: Database) -> None:
        async with database.log() as log:
            await log.number()


class TestImport:
    def test_names_of_the_rest_api_are_accepted(self, import_file: Any, export_file: Any):
        """Files of the older API can be imported, except for fields without a meaning here."""
        old = {"uuid": "5" * 32, "title": "Old", "description": "", "completed": True, "owner_uuid": "x"}
        result = import_file([{**old, "created_at": "2024-02-29T12:00:00Z"}], "--ignore", "owner_uuid")
        (record,), _ = export_file("alice")

        assert result.code == 0, result
        assert (record["status"], record["createdAt"]) == ("DONE", "2024-02-29T12:00:00Z")
        assert record["id"] == "55555555-5555-5555-5555-555555555555"

    def test_tasks_without_ids_are_identified_by_their_lines(self, import_file: Any):
        """With a source they need no ids; another source gives other ids."""
        lines = [{"title": "Same"}, {"title": "Same"}]
        outs = [import_file(lines, "--source", source).out for source in ("a", "a", "b")]

        assert [out.split(" (")[0] for out in outs[::2]] == ["Imported 2 tasks", "Imported 2 tasks"]
        assert outs[1] == "Imported 0 tasks, 2 existed already.\n"  # no rate where nothing is created

    @pytest.mark.parametrize(
        ("line", "expected"),
        [
            ("[1]", "this is not a JSON object."),
            ('{"id":', "this is not JSON ("),
            (b'{"id": 1, "title": "\xff"}', "this is not encoded in UTF-8: give its encoding, such as --encoding"),
            ({"title": "x"}, "id is missing: add ids, or name the source of the lines with --source"),
            ({"id": [], "title": "x"}, "id must be a UUID, or any name of up to 200 characters."),
            ({"id": 1}, "title must not be empty."),
            ({"id": 1, "title": 2}, "title must be text."),
            ({"id": 1, "title": "x" * 201}, "title is 201 characters long; the maximum is 200."),
            ({"id": 1, "title": "NUL \x00"}, "title contains a character that is not text"),
            ({"id": 1, "titel": "x"}, "'titel' is not a field. The fields are id, title,"),
            (
                {"id": 1, "title": "x", "Title": "y"},
                "'title' and 'Title' are both title: skip one of them with --ignore.",
            ),
            ({"id": 1, "title": "x", "status": "LATER"}, "status must be one of TODO, IN_PROGRESS, DONE, CANCELLED."),
            ({"id": 1, "title": "x", "priority": "9"}, "priority must be one of LOW, MEDIUM, HIGH, URGENT."),
            (
                {"id": 1, "title": "x", "dueAt": "soon"},
                "dueAt must be a time such as 2026-12-24T18:00:00Z; for other",
            ),
            ({"id": 1, "title": "x", "dueAt": "2026-12-24"}, "dueAt has no offset from UTC: give its time zone"),
            ({"id": 1, "title": "x", "dueAt": "24.12.2026"}, "dueAt has no offset from UTC: give its time zone"),
            ({"id": 1, "title": "x", "dueAt": "12/24/2026"}, "dueAt is ambiguous, the month or the day may be first"),
            ({"id": 1, "title": "x", "createdAt": "2999-01-01T00:00:00Z"}, "createdAt must not be in the future."),
            ({"id": 1, "title": "x", "completedAt": "2020-01-01T00:00:00Z"}, "completedAt is for a task that is DONE."),
            ({"id": 1, "title": "x", "completed": "perhaps"}, "completed must be true or false."),
            ({"id": 1, "title": "x", "completed": True, "status": "DONE"}, "completed and status are the same field"),
            ({"id": 1, "title": "x", "assignee": "gone"}, "assignee 'gone' is not an active user on this server."),
            ({"id": 1, "title": "x", "owner": "bob"}, "the owner is 'bob'. Use --owners"),
            ("x" * (MAX_LINE + 10), f"this is longer than {MAX_LINE:,} characters."),
        ],
        ids=lambda value: str(value)[:40],
    )
    def test_bad_lines_have_numbers(self, import_file: Any, export_file: Any, line: Any, expected: str):
        """A check lists them, an import stops at the first, and on request only bad lines are skipped."""
        raw = line if isinstance(line, bytes) else (line if isinstance(line, str) else json.dumps(line)).encode()
        good = [json.dumps({"id": f"good {number}", "title": "x"}).encode() for number in range(3)]
        lines = b"\n".join([good[0], b"", raw, *good[1:]])
        checked = import_file(lines, "--check")
        nothing, _ = export_file("alice")
        met = import_file(lines)
        one, _ = export_file("alice")
        skipped = import_file(lines, "--skip-bad")

        assert (checked.code, checked.out) == (3, "Good: 3 lines. Bad: 1. Nothing was created.\n")
        assert checked.err.startswith(f"line 3: {expected}")
        assert met.code == 1
        assert met.refusal.startswith(f"line 3: {expected}")
        assert "Imported so far: 1 task." in met.refusal
        assert skipped.code == 3
        assert skipped.err == checked.err
        assert [len(nothing), len(one), len(export_file("alice")[0])] == [0, 1, 3]

    def test_a_repeated_id(self, import_file: Any):
        """The same task twice is one task; another task with the same id is a bad line, wherever it is."""
        lines = [{"id": 1, "title": "One"}, {"id": 1, "title": "One"}, {"id": 1, "title": "Two"}]
        result = import_file(lines, "--skip-bad")

        assert result.err == "line 3: Another task has this id.\n"
        assert "Imported 1 task" in result.out
        assert "1 existed already, skipped 1 bad line" in result.out

    def test_csv_of_office_programs(self, import_file: Any, export_file: Any):
        """Byte order mark, semicolons, quoted lines, empty cells and lines; a short row is a bad line."""
        rows = [
            "\ufeffid;title;description;dueAt",
            '1;One;"Two',
            'lines";',
            "",
            "2;Two",
            '3;"Sem;icolon";;2026-12-24T18:00Z',
        ]
        text = "".join(f"{row}\r\n" for row in rows)
        result = import_file(text, "--skip-bad", name="tasks.csv")
        records, _ = export_file("alice")

        assert result.err == "line 5: this has 2 cells, but the first line has 4.\n"
        assert {record["title"]: record["dueAt"] for record in records} == {
            "One": None,
            "Sem;icolon": "2026-12-24T18:00:00Z",
        }

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("id,title\n1,One\n2,'" + '"' + "x" * 200_000, "line 3: this is not CSV"),
            ('id,title\n1,One\n2,"Two\n3,Three\n', "line 3: this is not CSV"),
            ("id,title\n" + "x" * (MAX_LINE + 10), f"line 2: this is longer than {MAX_LINE:,} characters"),
        ],
        ids=["quote", "quote at the end", "line"],
    )
    def test_an_unreadable_table_stops_the_import(self, import_file: Any, text: str, expected: str):
        """Rows cannot be separated; the message says where."""
        result = import_file(text.replace("'", ""), "--skip-bad", name="tasks.csv")

        assert (result.code, expected in result.refusal) == (1, True)

    def test_standard_input(self, run: Run, database_url: str):
        """`-` reads from a pipe."""
        result = run("import", "-", "--as", "alice", stdin=b'{"id": 1, "title": "One"}\n', DATABASE_URL=database_url)

        assert result.out.startswith("Imported 1 task (")

    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            (("--as", "nobody"), "There is no user 'nobody'"),
            (("--as", "gone"), "gone is disabled; `taskriver user enable gone`"),
        ],
    )
    def test_an_import_needs_an_active_user(self, import_file: Any, options: tuple[str, ...], expected: str):
        """For a missing or disabled user nothing is imported."""
        result = import_file([{"id": 1, "title": "x"}], *options)

        assert (result.code, expected in result.refusal) == (1, True)

    def test_a_missing_file_is_reported(self, run: Run, database_url: str):
        """In one line."""
        result = run("import", "nowhere.csv", "--as", "alice", DATABASE_URL=database_url)

        assert (result.code, result.refusal) == (1, "nowhere.csv cannot be read: No such file or directory.")
