"""A stack for the tests that hurt one, and a place for the numbers that they measure."""

import statistics
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from tests.chaos.faults import undo
from tests.chaos.stack import Stack, running


@pytest.fixture(scope="package")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """Two processes with their servers; each test leaves them whole."""
    async with running(Path(tmp_path_factory.mktemp("chaos")), SHUTDOWN_SECONDS="5") as stack:
        try:
            yield stack
        finally:
            await undo(stack)


class Numbers:
    """What was measured, to be printed at the end of the run."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, line: str) -> None:
        """Keep a line."""
        self.lines.append(line)


_numbers = Numbers()


@pytest.fixture
def numbers() -> Numbers:
    """Where measured numbers go."""
    return _numbers


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was measured."""
    for line in _numbers.lines:
        terminalreporter.write_line(f"measured: {line}")


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which that share of them lies."""
    return statistics.quantiles(values, n=100, method="inclusive")[round(share * 100) - 1]
