"""`taskriver import` with files of other programs: names of columns, times and encodings."""

import json
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("users")


class TestForms:
    @pytest.mark.parametrize(
        "header", ["ID,Title,Due At", "id,TITLE,due_at", " Id , title , due-at ", "iD,Title,dueat"]
    )
    def test_column_names_in_any_spelling(self, import_file: Any, export_file: Any, header: str):
        """Case, spaces, underscores and hyphens make no difference."""
        result = import_file(f"{header}\n1,One,2026-12-24T18:00Z\n", name="tasks.csv")

        assert (result.code, result.err) == (0, "")
        assert [(each["title"], each["dueAt"]) for each in export_file("alice")[0]] == [("One", "2026-12-24T18:00:00Z")]

    @pytest.mark.parametrize("kind", ["csv", "jsonl"])
    def test_mapped_column_names(self, import_file: Any, export_file: Any, kind: str):
        """`--map` maps columns and `--ignore` skips them, in any case."""
        options = ("--map", "Task Name=title", "--map", "key=ID", "--ignore", "LABELS")
        row = {"Key": "1", "task name": "One", "Labels": "x"}
        text = "Key,task name,Labels\n1,One,x\n" if kind == "csv" else f"{json.dumps(row)}\n"
        result = import_file(text, *options, name=f"tasks.{kind}")

        assert (result.code, result.err) == (0, "")
        assert [each["title"] for each in export_file("alice")[0]] == ["One"]

    @pytest.mark.parametrize(
        ("text", "options", "due"),
        [
            ("12/24/2026", ("--date-format", "%m/%d/%Y", "--timezone", "UTC"), "2026-12-24T00:00:00Z"),
            ("24/12/2026 6:05 PM", ("--date-format", "%d/%m/%Y %I:%M %p", "--timezone", "UTC"), "2026-12-24T18:05:00Z"),
            ("24.12.2026", ("--timezone", "Europe/Berlin"), "2026-12-23T23:00:00Z"),
            ("4.7.2026 10:00", ("--timezone", "Europe/Berlin"), "2026-07-04T08:00:00Z"),
            ("2026-12-24", ("--timezone", "America/New_York"), "2026-12-24T05:00:00Z"),
            ("2026-12-24 10:00", ("--timezone", "utc"), "2026-12-24T10:00:00Z"),
            ("2026-12-24T10:00+02:00", ("--timezone", "America/New_York"), "2026-12-24T08:00:00Z"),
            ("2026-12-24T10:00Z", ("--date-format", "%m/%d/%Y"), "2026-12-24T10:00:00Z"),
            (
                "24 Dec 2026 +0100",
                ("--date-format", "%Y/%m/%d", "--date-format", "%d %b %Y %z"),
                "2026-12-23T23:00:00Z",
            ),
        ],
    )
    def test_times_of_spreadsheets(
        self, import_file: Any, export_file: Any, text: str, options: tuple[str, ...], due: str
    ):
        """With options for the format and zone, each form gives the intended instant."""
        result = import_file([{"id": 1, "title": "x", "dueAt": text}], *options)

        assert (result.code, result.err) == (0, "")
        assert [each["dueAt"] for each in export_file("alice")[0]] == [due]

    @pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16", "UTF-8"])
    @pytest.mark.parametrize("kind", ["csv", "jsonl"])
    def test_encodings(self, import_file: Any, export_file: Any, encoding: str, kind: str):
        """The encoding is used for column names, too."""
        text = "id,Größe\n1,Über\n" if kind == "csv" else '{"id": 1, "Größe": "Über"}\n'
        result = import_file(
            text.encode(encoding), "--encoding", encoding, "--map", "größe=title", name=f"tasks.{kind}"
        )

        assert (result.code, result.err) == (0, "")
        assert [each["title"] for each in export_file("alice")[0]] == ["Über"]

    @pytest.mark.parametrize(
        ("content", "expected"),
        [
            ("id,title\n1,Über\n".encode("latin-1"), "line 2: this is not encoded in UTF-8: give its"),
            ("id,Größe\n1,x\n".encode("latin-1"), "line 1: this is not encoded in UTF-8: give its"),
            (b"id,Name\n1,x\n", "line 1: 'Name' is not a field. The fields are id, title,"),
        ],
    )
    def test_missing_columns_are_reported(self, import_file: Any, content: bytes, expected: str):
        """One line names the problem and the option that helps."""
        result = import_file(content, name="tasks.csv")

        assert (result.code, expected in result.refusal) == (1, True)

    @pytest.mark.parametrize("option", ["--check", "--skip-bad"])
    def test_a_repeated_problem_is_reported_once(self, import_file: Any, option: str):
        """The line has the number of lines, and the first of them."""
        lines = [{"id": n, "title": "x" * (n + 195), "status": "LATER" if n == 9 else "TODO"} for n in range(1, 20)]
        result = import_file(lines, option, "--json")

        assert result.code == 3
        first, second = result.err.splitlines()
        assert first.startswith("line 6: title is 201 characters long; the maximum is 200. ")
        assert first.endswith("Same problem in 12 more lines: 7, 8, 10, 11, 12, ….")
        assert second == "line 9: status must be one of TODO, IN_PROGRESS, DONE, CANCELLED."
        assert [each["count"] for each in json.loads(result.out)["problems"]] == [13, 1]

    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            (("--map", "title"), "--map 'title' must have the form NAME=FIELD"),
            (("--map", "a=b"), "--map a=b: 'b' is not a field. The fields are id,"),
            (("--timezone", "Berlin"), "There is no time zone 'Berlin': use a name such as UTC, Europe/Berlin"),
            (("--timezone", "../x"), "There is no time zone '../x'"),
            (("--date-format", "%d.%m."), "--date-format '%d.%m.' must contain year, month and day"),
            (("--date-format", "%Q"), "--date-format '%Q' must contain year, month and day"),
            (("--encoding", "klingon"), "There is no encoding 'klingon': use a name such as utf-8, cp1252"),
            (("--encoding", "base64"), "There is no encoding 'base64'"),
        ],
    )
    def test_invalid_options_are_refused(
        self, import_file: Any, export_file: Any, options: tuple[str, ...], expected: str
    ):
        """Nothing is read or created."""
        result = import_file([{"id": 1, "title": "x"}], *options)

        assert result.code == 1
        assert result.refusal.startswith(expected)
        assert export_file("alice")[0] == []
