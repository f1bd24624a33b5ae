"""The code of the previous release, from the history of the repository."""

import io
import json
import re
import subprocess
import tarfile
from pathlib import Path

PROJECT = Path(__file__).parents[2]
RELEASE = json.loads((PROJECT / "tests" / "project_rules" / "baseline" / "release.json").read_text())


class NoHistoryError(Exception):
    """The code of the release cannot be read; the message says why, and what to do."""


def extract_release(folder: Path, project: Path = PROJECT) -> Path:
    """Write the code of the release to a new folder, and return it.

    Raises:
        NoHistoryError: there is no git, or the clone does not contain the commit of the release.
    """
    version, commit = RELEASE["version"], RELEASE["commit"]
    try:
        archive = subprocess.run(["git", "-C", str(project), "archive", commit], capture_output=True, check=False)
    except FileNotFoundError:
        raise NoHistoryError(f"There is no git, which reads the code of release {version}: install git.") from None
    if archive.returncode:
        reason = archive.stderr.decode(errors="replace").strip().partition("\n")[0]
        raise NoHistoryError(
            f"This clone does not contain release {version} ({reason}): run `git fetch --unshallow` in a clone."
        )
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(folder, filter="data")
    return folder


def last_revision(code: Path) -> str:
    """The last migration in a folder with code."""
    file = max((code / "migrations" / "versions").glob("*.py"))
    found = re.search(r'^revision = "(\w+)"$', file.read_text(), re.MULTILINE)
    assert found is not None
    return found[1]
