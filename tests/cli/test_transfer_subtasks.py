"""`taskriver import` and `export` of subtasks, and of the manual order of projects."""

import json
from pathlib import Path
from typing import Any

import pytest

from cli.actor import user_of
from cli.transfer.columns import FIELDS
from domain.project import ProjectRole
from domain.rank import whole
from persistence.database import Database
from services.project import get_project
from services.subtask import set_parent
from services.task_creation import create_task
from services.task_move import Move, move_task
from services.task_order import Neighbour, Side
from tests.cli.conftest import Run
from tests.support.builders import Builders

NO_PARENT = "The project has no task with the id of the parent."
BEFORE = tuple(field for field in FIELDS if field not in ("parent", "rank"))
"""The fields of an export before it had subtasks and the manual order."""

Stored = dict[str, tuple[str | None, str | None, int, int]]


@pytest.fixture(autouse=True)
def projects(users: None, ask: Any) -> None:
    """WEB and APP: alice and bob are members."""

    async def make(database: Database) -> None:
        build = Builders(database)
        people = [await user_of(database, name) for name in ("alice", "bob")]
        for key in ("WEB", "APP"):
            await build.a_project(*((each, ProjectRole.MEMBER) for each in people), key=key)

    ask(make)


def line(number: object, **values: Any) -> dict[str, Any]:
    """A task of WEB."""
    return {"id": number, "title": f"T{number}", "project": "WEB", **values}


async def _stored(database: Database) -> Stored:
    """The parent's title, the rank and the counts of each task, by title."""
    query = """SELECT t.title, p.title AS parent, t.rank, t.subtask_count, t.done_subtask_count
        FROM tasks AS t LEFT JOIN tasks AS p ON p.id = t.parent_id"""
    async with database.connect() as connection:
        rows = await connection.exec_driver_sql(query)
        return {row.title: (row.parent, row.rank, row.subtask_count, row.done_subtask_count) for row in rows}


async def _remove_tasks(database: Database) -> None:
    async with database.engine.begin() as connection:
        await connection.exec_driver_sql("TRUNCATE tasks, task_texts, comments, events, task_counters")


async def _a_board(database: Database) -> None:
    """Two tasks with subtasks, in an order that members have chosen, and a subtask that is older than its parent."""
    alice = await user_of(database, "alice")
    build = Builders(database)
    web = (await get_project(build.as_(alice), key="WEB")).id
    made = {
        title: await create_task(build.as_(alice), title=title, project_id=web)
        for title in ("child of b", "a", "b", "c")
    }
    await create_task(build.as_(alice), title="child of a", parent_id=made["a"].id)
    for title, after in (("a", "c"), ("b", "c"), ("child of b", "c")):
        place = Move(neighbour=Neighbour(made[after].id, Side.AFTER))
        await move_task(build.as_(alice), task_id=made[title].id, move=place)
    await set_parent(build.as_(alice), task_id=made["child of b"].id, parent_id=made["b"].id)
    await create_task(build.as_(alice), title="Mine")


def titles(stored: Stored) -> list[str]:
    """The tasks in their manual order."""
    return sorted((title for title in stored if stored[title][1]), key=lambda title: str(stored[title][1]))


class TestThereAndBack:
    @pytest.mark.parametrize("name", ["all.jsonl", "all.csv"])
    def test_subtasks_and_the_order_are_kept(self, run: Run, database_url: str, ask: Any, name: str):
        """All is as it was, and the next task of the project is the last one."""
        ask(_a_board)
        exported = run("export", name, "--as", "alice", DATABASE_URL=database_url)
        before: Stored = ask(_stored)
        ask(_remove_tasks)
        checked = run("import", name, "--as", "alice", "--check", DATABASE_URL=database_url)
        imported = run("import", name, "--as", "alice", "--json", DATABASE_URL=database_url)

        assert exported.code == 0
        assert (checked.code, checked.out) == (0, "Good: 6 lines. Bad: 0. Nothing was created.\n")
        assert json.loads(imported.out)["created"] == 6
        assert ask(_stored) == before
        assert before["child of b"][0] == "b"
        assert before["b"][2] == 1
        assert titles(before) == ["c", "child of b", "b", "a", "child of a"]

    def test_a_repeated_import_changes_nothing(self, run: Run, database_url: str, ask: Any):
        """Neither the counts nor the ranks."""
        ask(_a_board)
        run("export", "all.jsonl", "--as", "alice", DATABASE_URL=database_url)
        before = ask(_stored)
        again = run("import", "all.jsonl", "--as", "alice", DATABASE_URL=database_url)
        assert again.out == "Imported 0 tasks, 6 existed already.\n"
        assert ask(_stored) == before

    def test_an_export_in_another_project(self, import_file: Any, export_file: Any, ask: Any):
        """Subtasks go with their parents, and the order stays."""
        ask(_a_board)
        records = [each for each in export_file("alice")[0] if each["project"]]
        moved = [{**each, "project": "APP", "title": f"{each['title']}'"} for each in records]
        for each in moved:  # the ids are taken
            each |= {"id": f"new {each['id']}", "parent": each["parent"] and f"new {each['parent']}"}
        result = import_file(moved, "--source", "copy")

        assert result.out.startswith("Imported 5 tasks")
        stored = ask(_stored)
        assert stored["child of b'"][0] == "b'"
        assert [title for title in titles(stored) if title.endswith("'")] == [
            "c'", "child of b'", "b'", "a'", "child of a'"
        ]  # fmt: skip


class TestFiles:
    def test_names_as_ids(self, import_file: Any, ask: Any):
        """A parent is named as on its own line, also a number; its line may have been imported before."""
        assert import_file([line("P-1"), line(2, parent="P-1")]).code == 0
        assert import_file([line(3, parent="P-1"), line(4), line("x", parent=4, status="DONE")]).code == 0
        stored = ask(_stored)
        assert {title: found[0] for title, found in stored.items()} == {
            "TP-1": None, "T2": "TP-1", "T3": "TP-1", "T4": None, "Tx": "T4"
        }  # fmt: skip
        assert (stored["TP-1"][2:], stored["T4"][2:]) == ((2, 0), (1, 1))

    def test_a_source_is_that_of_the_parent_too(self, import_file: Any, ask: Any):
        """The same names of two sources are different tasks."""
        for source in ("a", "b"):
            lines = [line(1, title=f"1 {source}"), line(2, title=f"2 {source}", parent="1")]
            assert import_file(lines, "--source", source).code == 0
        assert {title: found[0] for title, found in ask(_stored).items()} == {
            "1 a": None, "1 b": None, "2 a": "1 a", "2 b": "1 b"
        }  # fmt: skip

    @pytest.mark.parametrize("nested", [False, True])
    def test_many_lines(self, import_file: Any, ask: Any, nested: bool):
        """Parents come first, or each before its subtasks; batches end between them. Two users own them."""
        owners = ("alice", "bob", "bob")
        parents = [line(f"p{n}", owner=owners[n % 3], rank=whole(9_000 - n)) for n in range(900)]
        children = [
            [line(f"c{n}-{k}", parent=f"p{n}", owner=owners[(n + k) % 3], status="DONE") for k in range(2)]
            for n in range(900)
        ]
        lines = [*parents, *(child for several in children for child in several)]
        if nested:
            lines = [each for n in range(900) for each in (parents[n], *children[n])]
        options = ("--as", "root", "--owners")
        checked = import_file(lines, *options, "--check")
        result = import_file(lines, *options)

        assert checked.out == "Good: 2,700 lines. Bad: 0. Nothing was created.\n"
        assert result.out.startswith("Imported 2,700 tasks")
        stored: Stored = ask(_stored)
        assert all(stored[f"Tp{n}"] == (None, whole(9_000 - n), 2, 2) for n in range(900))
        assert all(stored[f"Tc{n}-{k}"][0] == f"Tp{n}" for n in range(900) for k in range(2))

    @pytest.mark.parametrize("name", ["older.jsonl", "older.csv"])
    def test_a_file_of_an_older_version(self, run: Run, database_url: str, tmp_path: Path, ask: Any, name: str):
        """Its tasks are no subtasks, and are in the order of its lines."""
        rows = [dict.fromkeys(BEFORE) | {"id": each, "title": each, "project": "WEB"} for each in "ba"]
        cells = [["" if value is None else str(value) for value in row.values()] for row in rows]
        table = "\n".join(",".join(each) for each in (BEFORE, *cells)) + "\n"
        text = table if name.endswith(".csv") else "".join(json.dumps(row) + "\n" for row in rows)
        (tmp_path / name).write_text(text)
        result = run("import", name, "--as", "alice", DATABASE_URL=database_url)
        assert (result.code, result.out.split(" (")[0]) == (0, "Imported 2 tasks")
        assert ask(_stored) == {"b": (None, whole(1), 0, 0), "a": (None, whole(2), 0, 0)}

    def test_fields_can_be_ignored(self, import_file: Any, ask: Any):
        """A rank of a personal task, too: it has no place."""
        lines = [line(1, parent="none", rank="first"), line(2, project=None, rank=whole(4))]
        assert import_file(lines, "--ignore", "parent", "--ignore", "rank").code == 0
        assert import_file([line(3, project=None, rank=whole(4), parent="")]).code == 0
        assert {found[:2] for found in ask(_stored).values()} == {(None, whole(1)), (None, None)}


class TestBadLines:
    @pytest.mark.parametrize(
        ("values", "expected"),
        [
            ({"parent": "none"}, NO_PARENT),
            ({"parent": "bad"}, "A task cannot be its own subtask."),
            ({"parent": "other"}, NO_PARENT),
            ({"parent": "personal"}, NO_PARENT),
            ({"parent": "child"}, "The parent is a subtask, and subtasks have no subtasks."),
            ({"parent": "full"}, "The parent has 100 subtasks, the maximum."),
            ({"parent": "p", "project": "APP"}, NO_PARENT),
            ({"parent": "p", "project": ""}, "a subtask needs the project of its parent. --ignore parent imports"),
            ({"parent": ["p"]}, "parent must be a UUID, or any name of up to 200 characters."),
            ({"parent": True}, "parent must be a UUID, or any name of up to 200 characters."),
            ({"parent": "x" * 201}, "parent must be a UUID, or any name of up to 200 characters."),
            ({"rank": 5}, "rank must be text."),
            ({"rank": "5"}, "rank must be that of an export, such as V0000001."),
            ({"rank": whole(1) + "0"}, "rank must be that of an export, such as V0000001."),
            ({"rank": "zzzzzzzz"}, "rank must be that of an export, such as V0000001."),
        ],
        ids=str,
    )
    @pytest.mark.parametrize("are_stored", [False, True])
    def test_each_has_its_number(
        self, import_file: Any, ask: Any, values: dict[str, Any], expected: str, are_stored: bool
    ):
        """A check lists it, an import stops, and on request only this line is skipped. Parents are lines or tasks."""
        before = [
            line("p"),
            line("child", parent="p"),
            line("other", project="APP"),
            line("personal", project=None),
            line("full"),
            *(line(f"f{number}", parent="full") for number in range(100)),
        ]
        after = [line("late"), line("last", parent="p")]
        bad = line("bad", **values)
        lines = [bad, *after] if are_stored else [*before, bad, *after]
        if are_stored:
            import_file(before)
        number = lines.index(bad) + 1
        checked = import_file(lines, "--check")
        stopped = import_file(lines)
        skipped = import_file(lines, "--skip-bad")

        assert checked.code == 3
        assert checked.out.endswith("Bad: 1. Nothing was created.\n")
        assert checked.err.startswith(f"line {number}: {expected}")
        assert stopped.code == 1
        assert stopped.refusal.startswith(f"line {number}: {expected}")
        assert (skipped.code, skipped.err) == (3, checked.err)
        stored: Stored = ask(_stored)
        assert "Tbad" not in stored
        assert (stored["Tlast"][0], stored["Tlate"][0]) == ("Tp", None)
        assert (stored["Tp"][2], stored["Tfull"][2]) == (2, 100)

    def test_a_parent_on_a_later_line(self, import_file: Any, ask: Any):
        """The line is bad, unless one transaction has both lines. When the parent exists, the line can be repeated."""
        long = [line(f"long {number}", description="x" * 9_000) for number in range(120)]  # more than a transaction has
        lines = [line("bad", parent="late"), *long, line("late")]
        checked = import_file(lines, "--check")
        skipped = import_file(lines, "--skip-bad")
        again = import_file(lines, "--skip-bad")

        assert checked.err.startswith(f"line 1: {NO_PARENT}")
        assert (checked.code, skipped.code, skipped.err) == (3, 3, checked.err)
        assert (again.code, again.out.split(" (")[0]) == (0, "Imported 1 task")
        assert ask(_stored)["Tbad"][0] == "Tlate"
        assert import_file([line(2, parent=1), line(1)]).out.startswith("Imported 2 tasks")

    def test_subtasks_of_a_bad_line_are_bad(self, import_file: Any, ask: Any):
        """Nothing is attached to something else; when the line is corrected, the import is repeated."""
        lines = [line(1, rank="?"), line(2, parent=1), line(3, parent=2), line(4)]
        checked = import_file(lines, "--check")
        skipped = import_file(lines, "--skip-bad")
        assert checked.err == skipped.err
        assert [text.partition(":")[0] for text in skipped.err.splitlines()] == ["line 1", "line 2"]
        assert "Same problem in 1 more line: 3." in skipped.err
        assert set(ask(_stored)) == {"T4"}

        lines = [line(1), line(2, parent=1), line(3, parent=1), line(4)]
        assert import_file(lines).out.split(" (")[0] == "Imported 3 tasks"
        assert ask(_stored)["T1"][2] == 2
