"""The table of the results, and what counts as a problem."""

from pathlib import Path

import pytest

from tests.ha.kinds import KINDS
from tests.ha.results import Cycle, Part, Results, put_table
from tests.ha.verdict import Verdict

CLEAN = Verdict(acknowledged=100, lost=0, duplicated=0, forbidden=0, wrong=0, findings=[])
KILL, _, FREEZE = KINDS[:3]
ETCD = next(kind for kind in KINDS if "etcd's" in kind.name)


def part(*cycles: Cycle, verdict: Verdict = CLEAN) -> Part:
    """A part with these cycles."""
    return Part(list(cycles), verdict, [], {})


class TestProblems:
    @pytest.mark.parametrize(
        ("cycle", "synchronous"),
        [
            (Cycle(KILL.name, 10.0, 1, 104), True),
            (Cycle(FREEZE.name, 35.0, 0, 104), True),
            (Cycle(KILL.name, 1.0, 104, 104, replaced=True), False),
            (Cycle(ETCD.name, 1.0, 0, 104), False),
        ],
        ids=["one client in a hundred", "the goal of a node", "all clients", "no new primary"],
    )
    def test_within_the_goals(self, cycle: Cycle, synchronous: bool):
        """There is none."""
        assert list(part(cycle).problems(synchronous=synchronous, timed=True)) == []

    @pytest.mark.parametrize(
        ("cycle", "synchronous"),
        [
            (Cycle(KILL.name, 10.1, 0, 104), True),
            (Cycle(KILL.name, 1.0, 2, 104), True),
            (Cycle(KILL.name, 1.0, 103, 104, replaced=True), False),
        ],
        ids=["too slow", "resyncs", "a client that does not know"],
    )
    def test_against_the_goals(self, cycle: Cycle, synchronous: bool):
        """Each is a line with the kind of the fault."""
        [problem] = part(cycle).problems(synchronous=synchronous, timed=True)

        assert problem.startswith(KILL.name)

    def test_times_can_be_left_out(self):
        """On a machine that has other things to do."""
        assert list(part(Cycle(KILL.name, 60.0, 0, 104)).problems(synchronous=True, timed=False)) == []

    @pytest.mark.parametrize("fault", ["lost", "duplicated", "forbidden", "wrong"])
    def test_findings_are_problems(self, fault: str):
        """Each kind of them; lost changes only with synchronous replication."""
        verdict = Verdict(**{**CLEAN.__dict__, fault: 1, "findings": ["it"]})
        found = {
            synchronous: list(part(verdict=verdict).problems(synchronous=synchronous, timed=True))
            for synchronous in (True, False)
        }

        assert found == {True: ["it"], False: [] if fault == "lost" else ["it"]}


def test_parts_are_added_up(tmp_path: Path):
    """Also when they were stored in between."""
    path = tmp_path / "results.json"
    for seconds in (2.0, 4.0, 9.0):
        results = Results.read(path)
        results.versions = {"PostgreSQL": "18.6"}
        results.add(part(Cycle(KILL.name, seconds, 1, 100)), [f"after {seconds}"])
        results.write(path)
    results = Results.read(path)
    table = results.table()

    assert results.problems == ["after 2.0", "after 4.0", "after 9.0"]
    assert table[2] == f"| {KILL.name} | 3 | 4.0 | 9.0 | 10 | 3 of 300 |"
    assert table[-1] == "3 cycles: 300 acknowledged, 0 lost, 0 duplicated, 0 forbidden, 0 wrong. PostgreSQL 18.6."


def test_the_table_is_put_into_a_page(tmp_path: Path):
    """It replaces the one that is there, and nothing else."""
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- ha one -->\nold\n<!-- /ha -->\nb\n<!-- ha two -->\nkept\n<!-- /ha -->\n")
    put_table(page, "one", ["| new |"])

    assert page.read_text() == (
        "a\n<!-- ha one -->\n\n| new |\n\n<!-- /ha -->\nb\n<!-- ha two -->\nkept\n<!-- /ha -->\n"
    )
    with pytest.raises(AssertionError, match="ha three"):
        put_table(page, "three", [])
