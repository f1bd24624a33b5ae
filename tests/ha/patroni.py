"""Patroni in a virtual environment of its own: it needs other versions of some libraries than the product."""

import hashlib
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Final

from embedded.accounts import OSAccount
from embedded.copies import private_folder
from embedded.processes import run
from tests.chaos.process import PROJECT

_LOCK: Final = PROJECT / "requirements-patroni.lock"
"""Patroni and what it needs, with hashes."""
_INSTALL_SECONDS: Final = 300
_VERSION_SECONDS: Final = 60


def find_patroni(account: OSAccount) -> str | None:
    """The program, which *account* can run; installs it if necessary. None if this is not possible."""
    try:
        folder = private_folder(Path(tempfile.gettempdir())) / f"patroni-{_digest()}"
        program = folder / "bin" / "patroni"
        if not _runs(program, account):
            _install(folder)
    except (OSError, subprocess.SubprocessError):
        return None
    return str(program) if _runs(program, account) else None


def _digest() -> str:
    return hashlib.sha256(_LOCK.read_bytes() + sys.version.encode()).hexdigest()[:16]


def _install(folder: Path) -> None:
    """Make the environment.

    Raises:
        subprocess.SubprocessError: this Python has no pip, there is no network, or it takes too long.
    """
    venv.create(folder, clear=True, with_pip=True)
    command = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    subprocess.run(
        [*command, "--require-hashes", "--requirement", str(_LOCK)],
        capture_output=True,
        timeout=_INSTALL_SECONDS,
        check=True,
    )


def _runs(program: Path, account: OSAccount) -> bool:
    try:
        return run([str(program), "--version"], account, seconds=_VERSION_SECONDS).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
