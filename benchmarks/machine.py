"""The machine of a measurement, and the versions of the programs."""

import json
import os
import platform
import re
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

from embedded.accounts import account_for
from embedded.binaries import find_postgres, find_valkey

_HERE: Final = Path(__file__).parent
_ROOT: Final = _HERE.parent
DIRTY: Final = "-dirty"
_WRITTEN: Final = (":(exclude)docs/benchmarks*.md", ":(exclude)docs/benchmarks*.svg")
_PYTHON: Final = {
    "Strawberry": "strawberry-graphql",
    "graphql-core": "graphql-core",
    "FastAPI": "fastapi",
    "SQLAlchemy": "sqlalchemy",
    "asyncpg": "asyncpg",
    "uvicorn": "uvicorn",
}
_NODE: Final = {
    "Mercurius": ("node", "mercurius"),
    "graphql-jit": ("node", "graphql-jit"),
    "Apollo Server": ("node", "@apollo/server"),
    "PostGraphile": ("postgraphile", "postgraphile"),
}


def name() -> str:
    """A name for this kind of machine: processor model and cores."""
    return f"{processor()}, {os.cpu_count()} cores"


def slug(machine: str) -> str:
    """The name of a machine for file names."""
    return re.sub(r"[^a-z0-9]+", "-", machine.lower()).strip("-")


def described(commit: str) -> str:
    """A sentence for the start of a page section, about measurements at this commit."""
    today = datetime.now(UTC).date().isoformat()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"Measured on {today} at {commit or 'an unknown commit'}, on {os.cpu_count()} cores of {processor()} with "
        f"{memory:.0f} GB, {platform.system()} {platform.release()}."
    )


def versions() -> str:
    """Names and versions of all programs that were measured."""
    account = account_for()
    parts = {
        "Python": platform.python_version(),
        "Node": _version_of("node", "--version").removeprefix("v"),
        "PostgreSQL": _version_of(str(find_postgres(account).folder / "postgres"), "--version"),
        "Valkey": _version_of(str(find_valkey(account)), "--version"),
        **{name: version(package) for name, package in _PYTHON.items()},
        **{name: _locked(folder, package) for name, (folder, package) in _NODE.items()},
    }
    return " · ".join(f"{name} {number}" for name, number in parts.items() if number)


def processor() -> str:
    """The processor model."""
    found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return found[1] if found else platform.machine()


def commit(folder: Path = _ROOT) -> str:
    """The commit of this repository, with `DIRTY` at its end if files differ from it; empty without a repository.

    The page and the charts that `make bench-full` writes do not count.
    """
    name = _git(folder, "rev-parse", "--short", "HEAD")
    changed = _git(folder, "status", "--porcelain", "--", ".", *_WRITTEN)
    return name and f"commit {name}{DIRTY if changed else ''}"


def _git(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _version_of(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    found = re.search(r"v?\d+\.\d+(\.\d+)?", done.stdout)
    return found[0] if found else ""


def _locked(folder: str, package: str) -> str:
    lock = json.loads((_HERE / "peers" / folder / "package-lock.json").read_text())
    return str(lock["packages"][f"node_modules/{package}"]["version"])


if __name__ == "__main__":
    sys.stdout.write(f"{described(commit())}\n{versions()}\n")
