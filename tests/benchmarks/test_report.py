from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.results import Measurement, Results
from benchmarks.table import ABSENT, markdown, medians, times
from tests.benchmarks.support import measured


class TestTable:
    def test_every_row_has_every_column(self):
        """A peer that takes no part in a workload has a dash."""
        rows = times([*measured("W1"), *measured("W3")[:3]], ["W1", "W3"], "mercurius")
        assert rows[0] == ["Taskriver", "1.50 (1.50 – 1.60)", ABSENT]
        assert {len(row) for row in rows} == {3}

    def test_every_row_has_a_number(self):
        """Lower bounds that were not measured over one connection are not in its table."""
        some = [Measurement("W1", "ours", 0, 1.0, {"alone": 0.5}), Measurement("W1", "floor", 0, 1.0, {})]
        assert medians(some, ["W1"], "alone", ".2f") == [["Taskriver", "0.50 (0.50 – 0.50)"]]

    def test_markdown_has_a_rule_below_its_head(self):
        """The first column is text, the others are numbers."""
        assert markdown([["", "W1"], ["a", "1"]]) == "|  | W1 |\n| --- | ---: |\n| a | 1 |"


class TestWrite:
    def test_the_text_around_the_markers_stays(self, tmp_path: Path):
        """Only the text between the markers is replaced."""
        page, chart = tmp_path / "page.md", tmp_path / "page.svg"
        page.write_text(f"Before\n\n{report.BEGIN}\n\nold\n\n{report.END}\n\nAfter\n")
        report.write(measured(alone=1.5, memory=50.0, per_cpu=9.0), page, chart)
        text = page.read_text()
        assert text.startswith(f"Before\n\n{report.BEGIN}\n")
        assert text.endswith(f"{report.END}\n\nAfter\n")
        assert "old" not in text
        assert "| Taskriver | 1.50 (1.50 – 1.60) |" in text
        assert "Taskriver" in chart.read_text()

    def test_missing_measurements_have_no_table(self, tmp_path: Path):
        """A comparison of a few peers gives a page with fewer tables."""
        page = tmp_path / "page.md"
        page.write_text(f"{report.BEGIN}\n{report.END}\n")
        report.write([each for each in measured("W3") if each.peer != "ours"], page, tmp_path / "page.svg")
        assert "| Mercurius + JIT | – | – | 1.00 (1.00 – 1.00) | – | – |" in page.read_text()
        assert "Memory" not in page.read_text()

    def test_a_page_without_markers_is_not_changed(self, tmp_path: Path):
        """Nothing is written."""
        page = tmp_path / "page.md"
        page.write_text("Nothing to fill in\n")
        with pytest.raises(ValueError, match="needs the lines"):
            report.write(measured(), page, tmp_path / "page.svg")
        assert page.read_text() == "Nothing to fill in\n"

    def test_the_page_of_the_project_has_its_markers(self):
        """It can be written."""
        text = report.PAGE.read_text()
        assert text.index(report.BEGIN) < text.index(report.END)


class TestResults:
    def test_added_results_are_found_again(self, tmp_path: Path):
        """Finished rounds are found when the comparison continues."""
        file = tmp_path / "results.jsonl"
        Results(file).add(measured(p50=1.5)[:2])
        Results(file).add(measured("W2")[:1])
        assert Results(file).read() == [*measured(p50=1.5)[:2], *measured("W2")[:1]]
        Results(file).forget()
        assert Results(file).read() == []
