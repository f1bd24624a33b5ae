from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.machine import slug
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
        """Only the section of the machine is replaced; it has a chart of its own."""
        page = _page(tmp_path, "<!-- machine: Slow, 2 cores -->\n\nold\n")
        report.write(measured(alone=1.5, memory=50.0, per_cpu=9.0), "Slow, 2 cores", page)
        text = page.read_text()
        assert text.startswith(f"Before\n\n{report.BEGIN}\n")
        assert text.endswith(f"{report.END}\n\nAfter\n")
        assert "old" not in text
        assert "| Taskriver | 1.50 (1.50 – 1.60) |" in text
        assert "](page-slow-2-cores.svg)" in text
        assert "Taskriver" in (tmp_path / "page-slow-2-cores.svg").read_text()

    def test_sections_of_other_machines_stay(self, tmp_path: Path):
        """The tables of several machines are on one page, in the order in which they were added."""
        page = _page(tmp_path)
        report.write(measured("W1"), "Fast, 2 cores", page)
        first = page.read_text().partition("<!-- machine: Fast, 2 cores -->")[2].partition(report.END)[0].strip()
        report.write(measured("W2"), "Slow, 2 cores", page)
        report.write(measured("W3"), "Slow, 2 cores", page)
        text = page.read_text()
        assert list(report.sections_of(text)) == ["Fast, 2 cores", "Slow, 2 cores"]
        assert first in text
        assert text.count("### Slow, 2 cores") == 1

    def test_results_of_machines_are_kept_apart(self):
        """Rounds of different machines cannot be compared."""
        assert report.results_of("Fast, 2 cores") != report.results_of("Slow, 2 cores")

    def test_targets_are_marked(self, tmp_path: Path):
        """Each target that was measured has a row."""
        page = _page(tmp_path)
        report.write(measured("W3"), "Fast, 2 cores", page)
        row = "| W3, rate, times Mercurius + JIT | ≥ 0.9 | 1.50 (1.50 – 1.60) | met |"
        assert row in page.read_text()

    def test_a_curve_shows_each_of_its_quantities(self, tmp_path: Path):
        """With a column for each peer, and a chart of all curves."""
        page = _page(tmp_path)
        numbers = {"p95": 12.34, "delivery_p95": 56.78}
        some = [Measurement("listeners/1000", peer, 0, 300.0, numbers) for peer in ("ours", "mercurius")]
        report.write(some, "Fast, 2 cores", page)
        text = page.read_text()
        assert "| subscribers | Taskriver, requests, p95 in ms | Mercurius + JIT, requests, p95 in ms |" in text
        assert "| 1,000 | 12.3 (12.3 – 12.3) | 12.3 (12.3 – 12.3) | 56.8 (56.8 – 56.8) |" in text
        assert "](page-fast-2-cores-growth.svg)" in text
        assert "W10 by the number of subscribers" in (tmp_path / "page-fast-2-cores-growth.svg").read_text()

    def test_imports_have_a_table(self, tmp_path: Path):
        """A row for each format."""
        page = _page(tmp_path)
        some = [Measurement("import/csv", "ours", 0, 9_000.0, {"per_cpu": 10_000.0, "memory": 105.0})]
        report.write(some, "Fast, 2 cores", page)
        assert "| csv | 9,000 (9,000 – 9,000) | 10,000 (10,000 – 10,000) | 105 (105 – 105) |" in page.read_text()

    def test_the_commit_of_the_measurements_is_named(self, tmp_path: Path):
        """Not that of the folder in which the page is written."""
        page = _page(tmp_path)
        report.write([Measurement("W1", "ours", 0, 1.0, {}, "commit abc-dirty")], "Fast, 2 cores", page)
        assert " at commit abc-dirty, on " in page.read_text()

    def test_several_machines_have_a_common_table_of_targets(self, tmp_path: Path):
        """It is made of the page's sections, because the rounds of another machine are not here."""
        page = _page(tmp_path, "<!-- machine: Old, 1 core -->\n\nno targets\n")
        report.write(measured("W3"), "Fast, 2 cores", page)
        report.write([*measured("W3")[3:], *measured("W1", per_cpu=2.0)], "Slow, 2 cores", page)
        text = page.read_text()
        assert "| target | Old, 1 core | Fast, 2 cores | Slow, 2 cores |" in text
        row = "| W3, rate, times Mercurius + JIT ≥ 0.9 | – | 1.50 (1.50 – 1.60): met | – |"
        assert row in text
        assert text.index(row) < text.index("<!-- machine: Old, 1 core -->")
        report.write(measured("W3"), "Slow, 2 cores", page)
        assert "| W3, rate, times Mercurius + JIT ≥ 0.9 | – | 1.50 (1.50 – 1.60): met | 1.50 (1.50 – 1.60): met |" in (
            page.read_text()
        )

    def test_missing_measurements_have_no_table(self, tmp_path: Path):
        """A comparison of a few peers gives a page with fewer tables."""
        page = _page(tmp_path)
        report.write([each for each in measured("W3") if each.peer != "ours"], "Fast, 2 cores", page)
        assert f"| Mercurius + JIT | – | – | 1.00 (1.00 – 1.00) |{' – |' * 7}" in page.read_text()
        assert "Memory" not in page.read_text()
        assert "Targets" not in page.read_text()

    def test_a_page_without_markers_is_not_changed(self, tmp_path: Path):
        """Nothing is written."""
        page = tmp_path / "page.md"
        page.write_text("Nothing to fill in\n")
        with pytest.raises(ValueError, match="needs the lines"):
            report.write(measured(), "Fast, 2 cores", page)
        assert page.read_text() == "Nothing to fill in\n"

    def test_the_page_of_the_project_has_its_markers(self):
        """It can be written, and each machine has its chart."""
        text = report.PAGE.read_text()
        assert text.index(report.BEGIN) < text.index(report.END)
        for name in report.sections_of(text.partition(report.BEGIN)[2].partition(report.END)[0]):
            assert report.PAGE.with_name(f"benchmarks-{slug(name)}.svg").exists()


def _page(folder: Path, text: str = "") -> Path:
    page = folder / "page.md"
    page.write_text(f"Before\n\n{report.BEGIN}\n\n{text}\n{report.END}\n\nAfter\n")
    return page


class TestResults:
    def test_added_results_are_found_again(self, tmp_path: Path):
        """Finished rounds are found when the comparison continues."""
        file = tmp_path / "results.jsonl"
        Results(file).add(measured(p50=1.5)[:2])
        Results(file).add(measured("W2")[:1])
        assert Results(file).read() == [*measured(p50=1.5)[:2], *measured("W2")[:1]]
        Results(file).forget()
        assert Results(file).read() == []
