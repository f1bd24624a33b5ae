"""Without the history of the repository, the upgrade is left out, and the reason is said."""

import subprocess
from pathlib import Path

import pytest

from tests.support.release import NoHistoryError, extract_release


def test_a_clone_without_the_release_is_reported(tmp_path: Path):
    """As after `git clone --depth 1`: the message says what to run."""
    subprocess.run(["git", "init", "--quiet", str(tmp_path / "clone")], check=True)
    with pytest.raises(NoHistoryError, match=r"This clone does not contain release .+: run `git fetch --unshallow`"):
        extract_release(tmp_path / "release", tmp_path / "clone")
    assert not (tmp_path / "release").exists()


def test_a_machine_without_git_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The message names it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoHistoryError, match="There is no git"):
        extract_release(tmp_path / "release")
