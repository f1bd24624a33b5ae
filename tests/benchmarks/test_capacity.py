"""What `make bench-capacity` prints and refuses; the measurements themselves are tested in tests/load."""

import resource
import sys

import pytest

from benchmarks.capacity import connections, tasks
from benchmarks.capacity.__main__ import main
from benchmarks.capacity.cost import Cost


def test_too_many_sockets_are_left_out(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """The sizes that need more open files than a process may have are named."""
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1_024, 2_000))
    monkeypatch.setattr(resource, "setrlimit", _refuse)

    assert connections.permitted([1_000, 5_000]) == [1_000]
    assert "5,000 sockets: left out, because a process may open 2,000 files" in capsys.readouterr().out


def test_ratios_are_medians_of_the_rounds():
    """A round that was slow for both sizes changes nothing."""
    costs = {
        "a task by its id": {
            1_000: [Cost(1.0, 1.0, 4.0), Cost(3.0, 3.0, 9.0), Cost(1.0, 1.0, 5.0)],
            9_000: [Cost(2.0, 1.0, 6.0), Cost(6.0, 3.0, 20.0), Cost(2.0, 2.0, 7.0)],
        }
    }

    assert tasks.cost_table(costs).splitlines()[-1] == (
        "| a task by its id | 1.00 + 1.00 ms | 2.00 + 2.00 ms | 1.50 | 7.0 ms |"
    )


def test_sizes_need_one_part(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """The sizes of tasks are no sizes of projects."""
    monkeypatch.setattr(sys, "argv", ["benchmarks.capacity", "tasks", "members", "--sizes", "10"])

    assert main() == 2
    assert "--sizes needs one part" in capsys.readouterr().err


def _refuse(_: int, limits: tuple[int, int]) -> None:
    if limits[1] > 2_000:
        raise ValueError("not allowed to raise maximum limit")
