"""The parts of a comparison, and which rounds are missing."""

import argparse
import re
import subprocess

import pytest

from benchmarks import full, machine
from benchmarks.__main__ import parts_of as short_parts
from benchmarks.load import Missing
from benchmarks.parts import NAMES, workloads
from benchmarks.peers.catalogue import PEERS, SHORT
from benchmarks.results import Measurement, Results
from benchmarks.rounds import seconds_for
from benchmarks.time_limit import TimeLimit

PEER = [PEERS["ours"]]
NOBODY = ["-c", "user.name=nobody", "-c", "user.email=nobody@example.org"]


def test_all_workloads_are_parts():
    """Each is measured once."""
    assert NAMES == ("W1", "W2", "W3", "W4", "W5", "W6", "W7", "W8", "W9", "W10")
    names = [name for part in workloads(PEER) for name in part.names]
    assert sorted(names) == sorted(NAMES)


def test_writes_are_measured_in_the_same_rounds():
    """Their costs are compared with each other, and ratios count within a round only."""
    assert ("W3", "W6", "W7", "W8", "W9") in [part.names for part in workloads(PEER)]


def test_some_workloads_can_be_chosen():
    """Also some of the writes."""
    assert [part.names for part in workloads(PEER, ["W1", "W9", "W5"])] == [("W1",), ("W9",), ("W5",)]


def test_a_part_continues_after_its_last_complete_round(tmp_path):
    """A round counts if all workloads of the part have it."""
    results = Results(tmp_path / "results.jsonl")
    (part,) = workloads(PEER, ["W3", "W6"])
    results.add([Measurement("W3", "ours", number, 1.0, {}) for number in (0, 1)])
    assert full.rounds_of(results, part) == 0
    results.add([Measurement("W6", "ours", 0, 1.0, {})])
    assert full.rounds_of(results, part) == 1


def test_parts_are_chosen_by_name():
    """Workloads, and the curves."""
    assert [part.name for part in full.parts_of(["ours"], ["W6", "page"])] == ["W6", "page"]
    with pytest.raises(Missing, match="There is no W11"):
        full.parts_of(["ours"], ["W11"])


@pytest.mark.parametrize(("rate", "seconds"), [(100.0, 5), (10_000.0, 3), (90_000.0, 1)])
def test_fast_peers_delete_for_a_shorter_time(rate: float, seconds: int):
    """There are tasks for the whole time, and the time is a number of whole seconds."""
    assert seconds_for(5, 57_000, rate) == seconds


class TestCommit:
    def test_a_tree_with_changes_is_refused(self):
        """Unless the page is to mark its results."""
        with pytest.raises(full.Refused, match="commit the changes first"):
            full.check_commit("commit abc-dirty", [], dirty=False)
        full.check_commit("commit abc-dirty", [], dirty=True)
        full.check_commit("commit abc", [], dirty=False)

    def test_rounds_of_another_commit_are_not_continued(self):
        """Their ratios are those of another program."""
        stored = [Measurement("W1", "ours", 0, 1.0, {}, commit) for commit in ("commit abc", "")]
        with pytest.raises(full.Refused, match="are of an unknown commit, and this is commit abc: remove them"):
            full.check_commit("commit abc", stored, dirty=False)
        full.check_commit("commit abc", stored[:1], dirty=False)

    def test_stored_rounds_know_their_commit(self, tmp_path):
        """The page names it."""
        results = Results(tmp_path / "results.jsonl")
        results.add([Measurement("W1", "ours", 0, 1.0, {})], "commit abc")
        assert [each.commit for each in results.read()] == ["commit abc"]

    def test_the_commit_of_a_folder(self, tmp_path):
        """The page that a run writes does not make the tree dirty; everything else does."""
        for command in (["init", "-q"], ["add", "."], [*NOBODY, "commit", "-qm", "first", "--allow-empty"]):
            subprocess.run(["git", *command], cwd=tmp_path, check=True)
        clean = machine.commit(tmp_path)
        assert re.fullmatch(r"commit [0-9a-f]{7,}", clean)
        (tmp_path / "docs").mkdir()
        for name in ("benchmarks.md", "benchmarks-fast.svg"):
            (tmp_path / "docs" / name).touch()
        assert machine.commit(tmp_path) == clean
        (tmp_path / "server.py").touch()
        assert machine.commit(tmp_path) == f"{clean}-dirty"

    def test_a_folder_without_a_repository(self, tmp_path):
        """An archive has no commit."""
        assert machine.commit(tmp_path) == ""


class TestShortForm:
    def test_it_has_all_workloads_and_the_other_parts(self):
        """In the order in which they are measured: what does not fit into the time comes last."""
        found = [part.name for part in short_parts(PEER, ())]
        assert found[-4:] == ["import", "numbering", "stall", "listeners"]
        assert [part.name for part in short_parts(PEER, ["W1", "import"])] == ["W1", "import"]

    def test_each_part_has_a_weight(self):
        """About the number of its measurements, on which the time limit is based."""
        weights = {part.name: part.weight for part in short_parts([PEERS[name] for name in SHORT], ())}
        assert weights["W1"] == 2
        assert weights["W3, W6, W7, W8, W9"] == 15
        assert all(weight > 0 for weight in weights.values())


class TestTimeLimit:
    def test_a_round_needs_time(self):
        """Its time is estimated by the rounds before."""
        now = [0.0]
        limit = TimeLimit(100, lambda: now[0])
        assert limit.allows(1_000)  # nothing is known yet
        limit.note(2, 20)
        now[0] = 20
        assert limit.left == 80
        assert limit.allows(7)
        assert not limit.allows(8)

    def test_the_first_rounds_of_other_parts_come_first(self):
        """A second round is played if they have their time."""
        now = [20.0]
        limit = TimeLimit(100, lambda: now[0])
        limit.note(2, 20)
        assert limit.allows(2, 7)
        assert not limit.allows(2, 8)

    def test_after_the_end_there_is_no_time(self):
        """Also if no round was played: preparing may take long."""
        now = [0.0]
        limit = TimeLimit(100, lambda: now[0])
        now[0] = 101
        assert not limit.allows(1)


def test_the_full_comparison_has_at_least_three_rounds():
    """Fewer have no useful spread."""
    parser = full._parser()
    assert parser.parse_args(["--rounds", "3"]).rounds == 3
    with pytest.raises((SystemExit, argparse.ArgumentError)):
        parser.parse_args(["--rounds", "2"])
