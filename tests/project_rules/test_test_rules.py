"""Tests depend on nothing but themselves, and continuous integration hides no failure."""

import re
from pathlib import Path

import pytest

from tests.support.waiting import HANG_SECONDS

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "tests").rglob("*.py"))
TIMED = (
    *("tests/timings/", "tests/load/", "tests/chaos/", "tests/ha/", "tests/simulation/", "tests/drill/"),
    "tests/outages/",
)
"""Figures are what these are for."""
SLEEPS = {
    "tests/e2e/test_dev.py": "a signal at a random time",
    "tests/embedded/environment.py": "between two checks of processes that send no event",
    "tests/embedded/test_death.py": "programs that do nothing; a kill at any time",
    "tests/cli/test_token.py": "between two checks of a server that has received a sign-out",
    "tests/cli/test_import_killed.py": "between two checks of a database that a process writes to",
    "tests/support/processes.py": "between two checks of a file that a process writes",
    "tests/support/replication.py": "between two checks of a server",
}
"""Where a thread sleeps, and why."""
WATCHES = r"time\.(monotonic|perf_counter|time)\(\)|\.elapsed\b"
CLOCKS = {
    "tests/support/processes.py": "the end of waiting for a hang",
    "tests/support/replication.py": "the end of waiting for a hang",
    "tests/embedded/environment.py": "the end of waiting for a hang",
    "tests/readme/test_tour.py": "the end of waiting for a hang",
    "tests/e2e/test_provider_logout.py": "figures that are printed and not asserted",
    "tests/e2e/test_token_revocation.py": "figures that are printed and not asserted",
}
"""Where a test reads a clock, and why."""


def name_of(file: Path) -> str:
    """The file's name in the repository."""
    return file.relative_to(ROOT).as_posix()


@pytest.mark.parametrize(
    ("pattern", "allowed"), [(r"\btime\.sleep\(", SLEEPS), (WATCHES, CLOCKS)], ids=["sleeps", "clocks"]
)
def test_tests_do_not_depend_on_time(pattern: str, allowed: dict[str, str]):
    """Only the listed modules sleep or read clocks."""
    found = {name_of(file) for file in FILES if re.search(pattern, file.read_text())}
    assert {name for name in found if not name.startswith(TIMED)} - {name_of(Path(__file__))} == allowed.keys()


def test_waiting_ends_only_for_a_hang():
    """What must happen is waited for as long as a hang takes: no machine is too slow."""
    short = re.compile(r"asyncio\.timeout\((\d[\d.]*)\)")
    found = {name_of(file): each for file in FILES for each in short.findall(file.read_text())}
    assert {name: each for name, each in found.items() if float(each) >= 1} == {}
    assert HANG_SECONDS >= 30


def test_no_suite_is_repeated():
    """Continuous integration does not repeat failed tests."""
    commands = (ROOT / ".ci" / "run").read_text()
    assert "--last-failed" not in commands
    assert re.findall(r"make [\w-]+[^\n]*\|\|", commands) == []


def test_the_order_is_random():
    """Unless another order is requested."""
    options = (ROOT / "pyproject.toml").read_text().partition("[tool.pytest.ini_options]")[2].partition("\n[")[0]
    assert "no:randomly" not in options
    assert "randomly-dont" not in options
