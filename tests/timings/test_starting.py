"""The time from a second start to the first response."""

from pathlib import Path

from embedded import running
from tests.support.figures import Figures
from tests.support.processes import Dev
from tests.timings.clock import timed

TIMES = 3


def test_the_servers(tmp_path: Path, figures: Figures):
    """PostgreSQL and Valkey."""
    seconds: list[float] = []
    for _ in range(TIMES + 1):
        with timed(seconds), running(tmp_path, durable=False):
            pass
    figures.times("servers started and stopped, after the first time", seconds[1:])


def test_taskriver_dev(tmp_path: Path, figures: Figures):
    """`taskriver dev`, and its end after Ctrl-C."""
    starting: list[float] = []
    ending: list[float] = []
    for _ in range(TIMES + 1):
        command = Dev(tmp_path)
        try:
            with timed(starting):
                command.serves()
            with timed(ending):
                command.stops(2)
        finally:
            command.clean_up()
    figures.times("`taskriver dev` until it serves, after the first time", starting[1:])
    figures.times("`taskriver dev` from Ctrl-C to its end", ending)
