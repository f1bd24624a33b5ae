"""`make prove`: as a reader of README runs it."""

import subprocess
import sys
from pathlib import Path

from tests.embedded.environment import PROJECT
from tests.support.processes import environment

PROVE = [sys.executable, str(PROJECT / "tools" / "prove.py")]


def test_a_promise_is_proved(tmp_path: Path):
    """It starts its own servers, measures, prints the result, and ends with 0."""
    done = subprocess.run(
        [*PROVE, "signing-out"], env=environment(), cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done
    (_, row) = done.stdout.splitlines()
    assert row.startswith("Signing out takes effect everywhere within a second.")
    assert row.endswith("  kept")
    assert "8 times at another process: tokens within 0." in row


def test_an_unknown_promise_is_refused(tmp_path: Path):
    """With the list of names, before anything starts."""
    done = subprocess.run(
        [*PROVE, "honesty"], env=environment(), cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    names = "stream, secrecy, signing-out, alike, standards, bad-input, speed"
    assert f"unknown promise honesty; the promises are {names}" in done.stderr
