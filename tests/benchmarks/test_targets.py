"""Whether the measurements meet the targets."""

import pytest

from benchmarks.results import Measurement
from benchmarks.targets import TARGETS, Longest, Mark, Side, Target, marked, rows

AT_LEAST = Target("W3", Side("W3", "ours"), Side("W3", "mercurius"), 1.5)
AT_MOST = Target("W6", Side("W3", "ours", "per_cpu"), Side("W6", "ours", "per_cpu"), 2.0, at_most=True)


@pytest.mark.parametrize(
    ("ratios", "mark"),
    [
        ([1.5, 1.6, 2.0], Mark.MET),
        ([1.4, 1.49, 1.2], Mark.MISSED),
        ([1.4, 1.6, 1.7], Mark.NOT_DECIDED),
        ([9.0], Mark.NOT_DECIDED),
    ],
)
def test_a_target_is_decided_if_all_rounds_agree(ratios: list[float], mark: Mark):
    """A spread that crosses the bound decides nothing, and a single round has no spread."""
    assert AT_LEAST.mark(ratios) is mark


@pytest.mark.parametrize(
    ("ratios", "mark"), [([2.0, 1.1], Mark.MET), ([2.1, 2.2], Mark.MISSED), ([1.9, 2.1], Mark.NOT_DECIDED)]
)
def test_a_cost_has_an_upper_bound(ratios: list[float], mark: Mark):
    """The bound itself is allowed."""
    assert AT_MOST.mark(ratios) is mark


def test_ratios_are_taken_within_a_round():
    """Rounds that have one side only do not count."""
    measured = [
        *_measured("W3", "ours", per_cpu=(300.0, 150.0, 480.0)),
        *_measured("W6", "ours", per_cpu=(150.0, 75.0)),
    ]
    assert AT_MOST.ratios(measured) == [2.0, 2.0]


def test_targets_without_measurements_are_not_listed():
    """A comparison of one workload prints the targets of this workload."""
    measured = [
        *_measured("W3", "ours", per_cpu=(4.0, 4.4)),
        *_measured("W3", "mercurius", per_cpu=(2.0, 2.0)),
    ]
    assert rows(measured) == [
        ("W3, per processor second, times Mercurius + JIT", "≥ 1", "2.10 (2.00 – 2.20)", Mark.MET),
        ("W3, rate, times Mercurius + JIT", "≥ 0.9", "1.00 (1.00 – 1.00)", Mark.MET),
    ]
    assert marked(measured)[0] == "met          W3, per processor second, times Mercurius + JIT ≥ 1: 2.10 (2.00 – 2.20)"


def test_a_faster_write_has_a_lower_cost():
    """The cost is the inverse of the requests per processor second."""
    measured = [*_measured("W3", "ours", per_cpu=(100.0, 100.0)), *_measured("W7", "ours", per_cpu=(40.0, 40.0))]
    assert rows(measured) == [("W7, processor time, times W3", "≤ 2", "2.50 (2.50 – 2.50)", Mark.MISSED)]


def test_all_writes_have_targets():
    """Each is compared with a move, with a move of one connection, and with a peer that writes an event."""
    for what in ("W6", "W7", "W8", "W9"):
        ratios = [target for target in TARGETS if target.under is not None]
        bounds = [(each.bound, each.at_most) for each in ratios if what in each.text.split(",")[0]]
        assert bounds == [(2.0, True), (1.6, True), (0.8, False)]


def test_a_target_without_a_peer_bounds_the_number_itself():
    """Memory, imports, and the event loop."""
    most = Target("memory", Side("W1", "ours", "memory"), None, 120, at_most=True)
    measured = [Measurement("W1", "ours", number, 9.0, {"memory": value}) for number, value in enumerate((99.0, 120.0))]
    assert most.ratios(measured) == [99.0, 120.0]
    assert most.mark(most.ratios(measured)) is Mark.MET
    assert most.shown([99.0, 1120.4]) == "610 (99 – 1,120)"


def test_the_longest_block_counts():
    """Of all documents of a round; a round without some of them does not count."""
    longest = Target("blocks", Longest("stall", "ours", "cpu"), None, 50, at_most=True)
    measured = [
        Measurement(f"stall/{name}", "ours", number, 1.0, {"cpu": cpu})
        for name, found in {"a": (10.0, 60.0, 70.0), "b": (20.0, 30.0)}.items()
        for number, cpu in enumerate(found)
    ]
    assert longest.ratios(measured) == [20.0, 60.0]
    assert longest.ratios([]) == []


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        *((f"{what}, memory (RSS) in MB", "≤ 120") for what in ("W1", "W2", "W3", "W4", "W6", "W7", "W8", "W9")),
        ("Import of csv, tasks per second", "≥ 10,000"),
        ("Import of jsonl, tasks per second", "≥ 10,000"),
        ("Event loop, longest block by an accepted document in ms of processor time", "≤ 50"),
        ("W3, p50 of one connection, times Mercurius + JIT", "≤ 1.3"),
    ],
)
def test_targets_of_the_product(text: str, limit: str):
    """Those that are not ratios of processor time."""
    assert (text, limit) in [(target.text, target.limit) for target in TARGETS]


def _measured(what: str, peer: str, per_cpu: tuple[float, ...]) -> list[Measurement]:
    return [Measurement(what, peer, number, 1.0, {"per_cpu": value}) for number, value in enumerate(per_cpu)]
