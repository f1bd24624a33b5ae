from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.results import Measurement, Results
from benchmarks.table import ABSENT, markdown, medians, times
from tests.benchmarks.support import measured


class TestTable:
    def test_every_row_has_every_column(self):
        """Whoever takes no part in a workload has a dash there."""
        rows = times([*measured("W1"), *measured("W3")[:3]], ["W1", "W3"], "mercurius")
        assert rows[0] == ["Taskriver", "1.50 (1.50 – 1.60)", ABSENT]
        assert {len(row) for row in rows} == {3}

    def test_nobody_has_a_row_without_a_number(self):
        """Floors that were not asked over one connection are not in the table of it."""
        some = [Measurement("W1", "ours", 0, 1.0, {"alone": 0.5}), Measurement("W1", "floor", 0, 1.0, {})]
        assert medians(some, ["W1"], "alone", ".2f") == [["Taskriver", "0.50 (0.50 – 0.50)"]]

    def test_markdown_has_a_rule_below_its_head(self):
        """The first column is text, the others are numbers."""
        assert markdown([["", "W1"], ["a", "1"]]) == "|  | W1 |\n| --- | ---: |\n| a | 1 |"


class TestWrite:
    def test_the_text_around_it_stays(self, tmp_path: Path):
        """What a person wrote before and after the markers is kept, what was measured before is not."""
        page, chart = tmp_path / "page.md", tmp_path / "page.svg"
        page.write_text(f"Before\n\n{report.BEGIN}\n\nold\n\n{report.END}\n\nAfter\n")
        report.write(measured(alone=1.5, memory=50.0, per_cpu=9.0), page, chart)
        text = page.read_text()
        assert text.startswith(f"Before\n\n{report.BEGIN}\n")
        assert text.endswith(f"{report.END}\n\nAfter\n")
        assert "old" not in text
        assert "| Taskriver | 1.50 (1.50 – 1.60) |" in text
        assert "Taskriver" in chart.read_text()

    def test_what_was_not_measured_has_no_table(self, tmp_path: Path):
        """A comparison of a few, without us or without numbers beside the rates, is a page with fewer tables."""
        page = tmp_path / "page.md"
        page.write_text(f"{report.BEGIN}\n{report.END}\n")
        report.write([each for each in measured("W3") if each.peer != "ours"], page, tmp_path / "page.svg")
        assert "| Mercurius + JIT | – | – | 1.00 (1.00 – 1.00) | – | – |" in page.read_text()
        assert "Memory" not in page.read_text()

    def test_a_page_without_markers_is_left_alone(self, tmp_path: Path):
        """Nothing is written where it is not known where."""
        page = tmp_path / "page.md"
        page.write_text("Nothing to fill in\n")
        with pytest.raises(ValueError, match="needs the lines"):
            report.write(measured(), page, tmp_path / "page.svg")
        assert page.read_text() == "Nothing to fill in\n"

    def test_our_page_has_its_markers(self):
        """The page of this project can be written."""
        text = report.PAGE.read_text()
        assert text.index(report.BEGIN) < text.index(report.END)


class TestResults:
    def test_what_is_added_is_there_the_next_time(self, tmp_path: Path):
        """Rounds that were finished are found again by whoever goes on."""
        file = tmp_path / "results.jsonl"
        Results(file).add(measured(p50=1.5)[:2])
        Results(file).add(measured("W2")[:1])
        assert Results(file).read() == [*measured(p50=1.5)[:2], *measured("W2")[:1]]
        Results(file).forget()
        assert Results(file).read() == []
