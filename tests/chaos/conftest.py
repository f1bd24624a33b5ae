"""A stack for the tests that hurt one, and a place for the numbers that they measure."""

import statistics
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Final

import pytest

from tests.chaos.faults import undo
from tests.chaos.stack import Stack, running

_MEASURED: Final = "measured"


@pytest.fixture(scope="package")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """Two processes with their servers; each test leaves them whole."""
    async with running(Path(tmp_path_factory.mktemp("chaos")), SHUTDOWN_SECONDS="5") as stack:
        try:
            yield stack
        finally:
            await undo(stack)


class Numbers:
    """What a test measured, to be printed at the end of the run, by whichever process ran it."""

    def __init__(self, note: Callable[[str, object], None]) -> None:
        self._note = note

    def note(self, line: str) -> None:
        """Keep a line."""
        self._note(_MEASURED, line)


@pytest.fixture
def numbers(record_property: Callable[[str, object], None]) -> Numbers:
    """Where measured numbers go."""
    return Numbers(record_property)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was measured."""
    reports = [report for some in terminalreporter.stats.values() for report in some]
    for report in reports:
        if getattr(report, "when", None) == "call":
            for name, line in report.user_properties:
                if name == _MEASURED:
                    terminalreporter.write_line(f"measured: {line}")


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which that share of them lies."""
    return statistics.quantiles(values, n=100, method="inclusive")[round(share * 100) - 1]
