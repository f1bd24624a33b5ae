"""Measurements like those of real rounds."""

from benchmarks.results import Measurement

RATES = {"ours": (300.0, 150.0, 480.0), "mercurius": (200.0, 100.0, 300.0), "floor": (600.0, 200.0, 900.0)}
"""In the second round the machine was busy: every peer had half its rate."""


def measured(what: str = "W1", **numbers: float) -> list[Measurement]:
    """Three rounds of three peers."""
    return [
        Measurement(what, peer, number, rate, numbers)
        for peer, rates in RATES.items()
        for number, rate in enumerate(rates)
    ]
