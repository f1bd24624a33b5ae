"""`running`: what it gives, keeps, refuses and leaves behind."""

import errno
import os
from pathlib import Path

import asyncpg
import pytest
import redis

from embedded import EmbeddedError, Servers, cluster, running
from embedded.errors import wrap_os_errors
from tests.embedded.environment import command_line, ping, processes_of, query, remember, remembers


def here() -> list[int]:
    """The processes of this test run: its own and all below it."""
    return [pid for pid, identity in processes_of(os.getpid()) if identity]


def started_since(before: list[int]) -> list[int]:
    """Processes that are new, but for those that servers of other tests start for themselves."""
    return [pid for pid in sorted(set(here()) - set(before)) if not command_line(pid).startswith("postgres: ")]


class TestRunning:
    def test_data_and_urls_are_kept(self, tmp_path: Path) -> None:
        """What was written in the first run is there in the second, at the same URLs."""
        with running(tmp_path) as first:
            memory = remember(first.database_url)
            assert ping(first.redis_url)

        with running(tmp_path) as second:
            assert remembers(second.database_url, memory)
            assert second == first

    def test_the_second_start_is_quick(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A second start initialises nothing, which is what takes long."""
        ran: list[list[str]] = []
        monkeypatch.setattr(cluster, "_run", lambda command, *rest: ran.append(command))
        with running(folder, durable=False) as servers:
            assert query(servers.database_url, "SELECT 1") == 1
        assert ran == []

    def test_the_database_is_the_same_everywhere(self, folder: Path) -> None:
        """Encoding, clock and letters do not depend on the machine, and what is committed is on the disk."""
        with running(folder) as servers:
            assert query(servers.database_url, "SHOW server_encoding") == "UTF8"
            assert query(servers.database_url, "SHOW timezone") == "UTC"
            assert query(servers.database_url, "SHOW fsync") == "on"
            assert query(servers.database_url, "SELECT lower('ÄÑ')") == "äñ"

    def test_given_urls_are_used_and_nothing_is_started(self, tmp_path: Path) -> None:
        """With both URLs given they come back as they are, no process starts and the folder stays away."""
        before = here()

        with running(tmp_path / "none", database_url="postgresql+asyncpg://a/b", redis_url="redis://c") as servers:
            assert servers == Servers("postgresql+asyncpg://a/b", "redis://c")
            assert started_since(before) == []
            assert not (tmp_path / "none").exists()

    def test_only_what_is_missing_is_started(self, tmp_path: Path) -> None:
        """With the database's URL only the other server starts."""
        with running(tmp_path, database_url="postgresql+asyncpg://a/b") as servers:
            assert servers.database_url == "postgresql+asyncpg://a/b"
            assert ping(servers.redis_url)
            assert not (tmp_path / "postgres").exists()

    def test_an_exception_leaves_no_process(self, folder: Path) -> None:
        """An exception in the block stops the servers and their watchdogs, and is raised."""
        before = here()

        with pytest.raises(ZeroDivisionError), running(folder, durable=False):
            raise ZeroDivisionError

        assert started_since(before) == []

    def test_two_folders_at_once(self, folder: Path, own_folder: Path) -> None:
        """Two clones run side by side, each with its own data and ports, even if one is a copy."""
        with running(folder, durable=False) as a, running(own_folder, durable=False) as b:
            memory = remember(a.database_url)

            assert not remembers(b.database_url, memory)
            assert a.redis_url != b.redis_url

    def test_a_folder_in_use_is_refused(self, folder: Path) -> None:
        """The message names the user of the folder, and the first program is not disturbed."""
        with running(folder, durable=False) as servers:
            with pytest.raises(EmbeddedError, match=rf"\(process {os.getpid()}\) is using .*: stop it"):
                running(folder, durable=False).__enter__()

            assert query(servers.database_url, "SELECT 1") == 1

    def test_any_path_is_accepted(self, tmp_path: Path) -> None:
        """With spaces, percent signs, quotes, other alphabets and great length."""
        folder = tmp_path / "a b%20'c\"" / "Дата ñ 数据" / ("long" * 30)

        with running(folder, durable=False) as servers:
            assert query(servers.database_url, "SELECT 1") == 1
            assert ping(servers.redis_url)

    def test_a_relative_path_stays_where_it_was(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A relative folder is taken from where the block began, also if the program moves on meanwhile."""
        monkeypatch.chdir(tmp_path)

        with running(Path("data"), database_url="postgresql+asyncpg://a/b"):
            monkeypatch.chdir("/")

        assert (tmp_path / "data" / "valkey" / "password").exists()


class TestOtherUsers:
    def test_the_servers_require_a_password(self, folder: Path) -> None:
        """The port is open to every user of the machine."""
        with running(folder, durable=False) as servers:
            password = (folder / "postgres" / "password").read_text().strip()
            with pytest.raises(asyncpg.InvalidPasswordError):
                query(servers.database_url.replace(password, "wrong"), "SELECT 1")
            with pytest.raises(redis.AuthenticationError):
                ping(f"redis://{servers.redis_url.partition('@')[2]}")

    def test_secrets_are_kept(self, folder: Path) -> None:
        """Passwords are on no command line, and in files and folders that only their owner may read."""
        with running(folder, durable=False):
            secrets = [(folder / name / "password") for name in ("postgres", "valkey")]
            lines = "".join(command_line(pid) for pid in here())

        for secret in secrets:
            assert secret.read_text().strip() not in lines
            assert secret.stat().st_mode & 0o777 == 0o600
            assert secret.parent.stat().st_mode & 0o777 == 0o700


class TestRefusals:
    def test_a_file_in_the_path_is_reported(self, tmp_path: Path) -> None:
        """In one line that says what to do."""
        (tmp_path / "file").touch()

        with pytest.raises(EmbeddedError, match=r"^The folder .* cannot be used .*: choose another folder.*\.$"):
            running(tmp_path / "file" / "data").__enter__()

    @pytest.mark.parametrize(
        ("code", "advice"),
        [
            (errno.ENOSPC, "free some space"),
            (errno.EROFS, "on a disk that can be written"),
            (errno.EIO, "another folder"),
        ],
    )
    def test_a_file_system_error_is_reported(self, tmp_path: Path, code: int, advice: str) -> None:
        """In one line with the folder, the reason and what to do."""
        with (
            pytest.raises(EmbeddedError, match=rf"^The folder .* \({os.strerror(code)}\): .*{advice}"),
            wrap_os_errors(tmp_path),
        ):
            raise OSError(code, os.strerror(code))

    def test_data_of_another_version(self, own_folder: Path) -> None:
        """Data of another PostgreSQL are not touched; the message names both versions and the ways out."""
        (own_folder / "postgres" / "data" / "PG_VERSION").write_text("12\n")

        with pytest.raises(EmbeddedError, match=r"belong to PostgreSQL 12, .* install PostgreSQL 12, or move "):
            running(own_folder).__enter__()

    def test_a_server_that_does_not_start(self, own_folder: Path) -> None:
        """The end of the server's log is in the message, and nothing is left running."""
        before = here()
        with (own_folder / "postgres" / "data" / "postgresql.conf").open("a") as file:
            file.write("no_such_setting = 1\n")

        with pytest.raises(EmbeddedError, match="no_such_setting"):
            running(own_folder).__enter__()

        assert started_since(before) == []

    @pytest.mark.parametrize("part", ["password", "data/PG_VERSION"])
    def test_a_part_that_is_missing(self, own_folder: Path, part: str) -> None:
        """Data of which a part is gone are not overwritten by fresh ones."""
        (own_folder / "postgres" / part).unlink()

        with pytest.raises(EmbeddedError, match=f"{part} is missing: restore it, or move"):
            running(own_folder).__enter__()
