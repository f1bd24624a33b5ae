"""Figures that tests measure: printed at the end of the run, and not asserted."""

import statistics
from collections.abc import Callable, Sequence
from typing import Final

import pytest

_MEASURED: Final = "measured"


class Figures:
    """What a test measured, to be printed by whichever process ends the run."""

    def __init__(self, note: Callable[[str, object], None]) -> None:
        self._note = note

    def note(self, line: str) -> None:
        """Keep a line."""
        self._note(_MEASURED, line)

    def times(self, what: str, seconds: Sequence[float]) -> None:
        """Keep how long something took, each time that it was done."""
        median, most = statistics.median(seconds), max(seconds)
        self.note(f"{what}: median {1000 * median:.1f} ms, most {1000 * most:.1f} ms, of {len(seconds)}")


def print_figures(reporter: pytest.TerminalReporter) -> None:
    """Print what was measured."""
    reports = [report for some in reporter.stats.values() for report in some]
    for report in reports:
        if getattr(report, "when", None) == "call":
            for name, line in report.user_properties:
                if name == _MEASURED:
                    reporter.write_line(f"measured: {line}")


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which that share of them lies."""
    return statistics.quantiles(values, n=100, method="inclusive")[round(share * 100) - 1]
