"""The parts of a comparison, and which rounds are missing."""

import argparse

import pytest

from benchmarks import full
from benchmarks.load import Missing
from benchmarks.parts import NAMES, workloads
from benchmarks.peers.catalogue import PEERS
from benchmarks.results import Measurement, Results
from benchmarks.rounds import seconds_for

PEER = [PEERS["ours"]]


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


def test_the_full_comparison_has_at_least_three_rounds():
    """Fewer have no useful spread."""
    parser = full._parser()
    assert parser.parse_args(["--rounds", "3"]).rounds == 3
    with pytest.raises((SystemExit, argparse.ArgumentError)):
        parser.parse_args(["--rounds", "2"])
