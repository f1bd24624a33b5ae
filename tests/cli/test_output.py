"""Standard output that cannot be written: full, closed, or left by its reader."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.support.processes import environment
from tests.support.waiting import HANG_SECONDS

pytestmark = pytest.mark.usefixtures("users")

COMMANDS = [("export", "--as", "bob"), ("export-schema",), ("--version",), ("user", "--help")]


def _taskriver(arguments: tuple[str, ...], folder: Path, database_url: str, out: int | None) -> tuple[int, str]:
    """Exit code and standard error of a command that prints to *out*; None: it has no standard output."""
    done = subprocess.run(
        [sys.executable, "-m", "cli", *arguments],
        env=environment(DATABASE_URL=database_url),
        cwd=folder,
        stdout=out,
        stderr=subprocess.PIPE,
        preexec_fn=(lambda: os.close(1)) if out is None else None,
        timeout=HANG_SECONDS,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_full_disk_is_reported(arguments: tuple[str, ...], tmp_path: Path, database_url: str):
    """In one line that names what is full; it is no failure of the database."""
    with Path("/dev/full").open("wb") as full:
        result = _taskriver(arguments, tmp_path, database_url, full.fileno())
    assert result == (1, "taskriver: Standard output: No space left on device.\n")


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_reader_that_has_gone_ends_a_command_in_silence(
    arguments: tuple[str, ...], tmp_path: Path, database_url: str
):
    """As `| head` does."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        _, err = _taskriver(arguments, tmp_path, database_url, writer)
    finally:
        os.close(writer)
    assert err == ""


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_command_needs_no_standard_output(arguments: tuple[str, ...], tmp_path: Path, database_url: str):
    """What it prints is dropped (`>&-`)."""
    code, err = _taskriver(arguments, tmp_path, database_url, None)
    assert (code, "Traceback" in err) == (0, False)


def test_a_file_for_the_cursor_that_cannot_be_written(run: Run, database_url: str):
    """Its name and the reason are told."""
    result = run("export", "t.csv", "--as", "bob", "--cursor-to", "nowhere/cursor", DATABASE_URL=database_url)
    assert (result.code, result.refusal) == (1, "nowhere/cursor cannot be written: No such file or directory.")
