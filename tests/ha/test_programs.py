"""Without the programs of the cluster, `make ha` says so in one line, and its status is not that of a failure."""

import os
import sys

import pytest

from embedded.accounts import OSAccount
from tests.ha import programs
from tests.ha.__main__ import MISSING, UNAVAILABLE, main


@pytest.fixture
def without_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """An ordinary user on a machine without one of the programs."""
    monkeypatch.setattr(programs, "PACKAGES", {"no-such-program": "no-such-package"})
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(sys, "argv", ["make ha"])


@pytest.mark.usefixtures("without_programs")
def test_nothing_is_found():
    """And nothing is installed."""
    assert programs.find_or_install(OSAccount()) is None


@pytest.mark.usefixtures("without_programs")
async def test_the_line(capsys: pytest.CaptureFixture[str]):
    """It names what can be done."""
    status = await main()

    assert (status, capsys.readouterr().out) == (UNAVAILABLE, f"{MISSING}\n")
    assert status not in (0, 1)
