"""Standard output that cannot be written: full, closed, or abandoned by its reader."""

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
    """One line names the target; it is not reported as a database error."""
    with Path("/dev/full").open("wb") as full:
        result = _taskriver(arguments, tmp_path, database_url, full.fileno())
    assert result == (1, "taskriver: Standard output: No space left on device.\n")


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_closed_pipe_ends_a_command_silently(arguments: tuple[str, ...], tmp_path: Path, database_url: str):
    """As with `| head`."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        _, err = _taskriver(arguments, tmp_path, database_url, writer)
    finally:
        os.close(writer)
    assert err == ""


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_command_needs_no_standard_output(arguments: tuple[str, ...], tmp_path: Path, database_url: str):
    """Its output is dropped (`>&-`)."""
    code, err = _taskriver(arguments, tmp_path, database_url, None)
    assert (code, "Traceback" in err) == (0, False)


def test_a_cursor_file_that_cannot_be_written_is_reported(run: Run, database_url: str):
    """With its name and the reason."""
    result = run("export", "t.csv", "--as", "bob", "--cursor-to", "nowhere/cursor", DATABASE_URL=database_url)
    assert (result.code, result.refusal) == (1, "nowhere/cursor cannot be written: No such file or directory.")
