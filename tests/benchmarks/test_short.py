"""The shortest comparison gives the same numbers as a long one with the same rounds."""

from benchmarks.results import Measurement
from benchmarks.short import summary

ALONE = {"ours": (0.8, 1.6, 0.7), "mercurius": (1.2, 2.0, 1.4)}
RATES = {"ours": (300.0, 150.0, 480.0), "mercurius": (200.0, 100.0, 400.0)}


def test_the_summary():
    """Times are given as reductions, rates as factors; both are medians of the rounds."""
    measured = [
        Measurement("W1", peer, number, RATES[peer][number], {"alone": alone})
        for peer, times in ALONE.items()
        for number, alone in enumerate(times)
    ]

    assert summary(measured) == {
        "ours": 0.8,
        "theirs": 1.4,
        "times": {"median": 1.2 / 0.8, "least": 2.0 / 1.6, "most": 1.4 / 0.7},
        "rate": {"median": 1.5, "least": 1.2, "most": 1.5},
    }
