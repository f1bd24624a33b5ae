"""`taskriver import` and `export` of labels and comments."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from cli.actor import user_of
from cli.transfer.dates import DateReader
from cli.transfer.nested_values import as_cells, read_comments, read_labels
from domain.errors import Invalid
from domain.project import ProjectRole
from persistence.database import Database
from tests.cli.conftest import Run
from tests.support.builders import Builders

NOW = datetime(2026, 11, 30, tzinfo=UTC)
COMMENTS = [
    {"author": "alice", "text": "First, with a comma", "createdAt": "2026-01-02T03:04:05Z"},
    {"author": "bob", "text": 'Second "quoted"\nover two lines', "createdAt": "2026-01-03T00:00:00Z"},
]
LABELS = ["bug", "help, wanted", "ünïcode 💥"]


@pytest.fixture
def projects(users: None, ask: Any) -> None:
    """WEB: alice is a manager, bob a member; it has the label Bug."""

    async def make(database: Database) -> None:
        build = Builders(database)
        alice, bob = [await user_of(database, name) for name in ("alice", "bob")]
        web = await build.a_project((alice, ProjectRole.MANAGER), (bob, ProjectRole.MEMBER), key="WEB")
        await build.a_label(web, "Bug")

    ask(make)


@pytest.mark.usefixtures("projects")
class TestRoundTrip:
    @pytest.mark.parametrize("name", ["all.jsonl", "all.csv"])
    def test_an_export_has_what_was_imported(
        self, import_file: Any, export_file: Any, run: Run, database_url: str, ask: Any, name: str
    ):
        """Labels by their names, those that are missing are created; comments with their authors and times."""
        line = {"id": 1, "title": "There", "project": "WEB", "labels": LABELS, "comments": COMMENTS}
        result = import_file([line, {"id": 2, "title": "Mine"}], "--owners")
        assert result.out.startswith("Imported 2 tasks")
        run("export", name, "--as", "alice", DATABASE_URL=database_url)
        ask(_remove_tasks)
        again = run("import", name, "--as", "alice", "--owners", "--json", DATABASE_URL=database_url)

        assert json.loads(again.out)["created"] == 2, again.err
        records = {record["title"]: record for record in export_file("alice")[0]}
        assert records["There"]["labels"] == ["Bug", "help, wanted", "ünïcode 💥"]
        assert records["There"]["comments"] == COMMENTS
        assert (records["Mine"]["labels"], records["Mine"]["comments"]) == ([], [])

    @pytest.mark.parametrize(
        ("line", "options", "expected"),
        [
            ({"project": "WEB", "labels": ["New"], "owner": "bob"}, ["--owners"], "the project has no label 'New'"),
            ({"labels": ["bug"]}, [], "labels need a project: a personal task has none."),
            ({"project": "WEB", "labels": [5]}, [], "labels must be a list of names."),
            ({"comments": COMMENTS}, [], "the author of a comment is 'bob'. Use --owners"),
            ({"comments": [{"author": "nobody", "text": "x"}]}, ["--owners"], "the author 'nobody' of a comment"),
            ({"comments": [{"author": "alice", "text": " "}]}, [], "text must not be empty"),
            (
                {"comments": "no JSON"},
                [],
                "comments must be a list of objects with author, text",
            ),
        ],
        ids=str,
    )
    def test_a_bad_line_is_refused(self, import_file: Any, line: Any, options: list[str], expected: str):
        """With what to do."""
        result = import_file([{"id": 1, "title": "Bad"} | line], *options)
        assert result.code == 1
        assert expected in result.err


@pytest.mark.parametrize(
    ("value", "labels"),
    [
        ("", []),
        ("bug", ["bug"]),
        ('bug, "help, wanted"', ["bug", "help, wanted"]),
        ([" bug ", "new"], ["bug", "new"]),
    ],
)
def test_labels_of_a_cell(value: Any, labels: list[str]):
    """A spreadsheet has names with commas between them."""
    assert read_labels(value) == labels


def test_too_many_labels():
    """The limit of a task counts."""
    with pytest.raises(Invalid, match="20 labels, not 21"):
        read_labels([str(number) for number in range(21)])


def test_cells_are_read_back():
    """As an export writes them."""
    record = as_cells({"labels": LABELS, "comments": COMMENTS, "title": "x"})
    assert record["title"] == "x"
    assert read_labels(record["labels"]) == LABELS
    assert [each.text for each in read_comments(record["comments"], DateReader(), NOW)] == [
        each["text"] for each in COMMENTS
    ]


@pytest.mark.parametrize("value", [5, {"author": "alice"}, ["x"], [{"author": "alice"}], [{"author": 5, "text": "x"}]])
def test_other_forms_are_refused(value: Any):
    """The message says what the form is."""
    with pytest.raises(Invalid, match="a list of objects with author, text and createdAt"):
        read_comments(value, DateReader(), NOW)


async def _remove_tasks(database: Database) -> None:
    async with database.unit_of_work(None) as uow:
        await uow.transaction.begin()
        await uow.transaction.fetch("DELETE FROM tasks")
        await uow.transaction.fetch("DELETE FROM events")
        await uow.commit()
