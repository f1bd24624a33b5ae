"""A private PostgreSQL."""

import contextlib
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import ClassVar

from embedded import watchdog
from embedded.accounts import OSAccount, account_for
from embedded.binaries import PostgresPrograms, find_postgres
from embedded.cluster import DATABASE, USER, create_cluster, reachable
from embedded.errors import EmbeddedError
from embedded.ports import HOST
from embedded.processes import Child, run
from embedded.server import PrivateServer, StopMode, make_private

# After SIGQUIT the server waits 5 seconds before it kills its children.
_FAST = (signal.SIGINT, 6.0)
_IMMEDIATE = (signal.SIGQUIT, 7.0)
_KILL = (signal.SIGKILL, 3.0)

_SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",  # the length of their paths is limited, and the folder's path may be long
    "max_connections": "200",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "max_parallel_workers_per_gather": "0",  # parallel queries need /dev/shm, which containers often lack
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "logging_collector": "off",
}
# Commits stay synchronous: without fsync this costs nearly nothing, and tests that kill the server expect to find
# committed data.
_NOT_DURABLE = {"fsync": "off", "full_page_writes": "off"}
_TIMEOUT_SECONDS = 30.0


class Postgres(PrivateServer):
    """A PostgreSQL server. `folder/data` belongs to the user of the server; the other files belong to this user."""

    name = "PostgreSQL"
    plan = (_FAST, _IMMEDIATE, _KILL)
    # The second one means that child processes of a killed server are still ending.
    transient_errors = ("Address already in use", "pre-existing shared memory block")

    _modes: ClassVar[dict[StopMode, watchdog.Plan]] = {"fast": plan, "immediate": (_IMMEDIATE, _KILL)}

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        """*durable=False* is for tests: a crash of the machine can lose all data; one of the server loses nothing."""
        super().__init__(folder)
        self.data = self.folder / "data"
        self._durable = durable
        self._account: OSAccount
        self._programs: PostgresPrograms

    @property
    def url(self) -> str:
        """postgresql+asyncpg://taskriver:PASSWORD@127.0.0.1:PORT/taskriver"""
        return self.url_of(DATABASE)

    def url_of(self, database: str) -> str:
        """The URL of another database of this server. The name must not need escaping in a URL."""
        return f"postgresql+asyncpg://{USER}:{self.password}@{HOST}:{self.port}/{database}"

    def create_database(self, name: str, template: str | None = None) -> str:
        """Create a database, empty or as a copy of *template*, and return its URL. *template* must have no connections.

        Raises:
            EmbeddedError: the server refuses, or does not answer within 30 seconds.
        """
        copy = f" TEMPLATE {_quoted(template)}" if template else ""
        self._execute(f"CREATE DATABASE {_quoted(name)}{copy}")
        return self.url_of(name)

    def plan_for(self, mode: StopMode) -> watchdog.Plan:
        """The signals for *mode*, followed by stronger ones if the server does not end."""
        return self._modes[mode]

    def _prepare(self) -> None:
        make_private(self.folder.parent)
        self._account = account_for(self.data)
        self._programs = find_postgres(self._account)
        if not self.folder.exists():
            create_cluster(self.folder, self._programs, self._account)
        _check_complete(self.folder)
        _check_version(self.data, self._programs)

    def _end_predecessor(self) -> None:
        super()._end_predecessor()
        _clear_lock_file(self.data)

    def _launch(self, port: int) -> Child:
        settings = self._settings() | {"port": str(port)} | ({} if self._durable else _NOT_DURABLE)
        program = str(self._programs.folder / "postgres")
        with reachable(self.data, self._account) as (path, open_files):
            return Child(
                [program, "-D", path, *(f"--{name}={value}" for name, value in settings.items())],
                log=self.log,
                plan=self.plan,
                account=self._account,
                open_files=open_files,
            )

    def _settings(self) -> dict[str, str]:
        """The settings for the command line of the server."""
        return _SETTINGS

    def _is_ready(self, child: Child, log: str) -> bool:
        lines = _lock_file_lines(self.data)
        return len(lines) > 7 and lines[0] == str(child.pid) and lines[7].strip() == "ready"

    def _execute(self, statement: str) -> None:
        program = str(self._programs.folder / "psql")
        command = [program, "--no-psqlrc", "--quiet", "--no-password", "--command", statement]
        try:
            done = run(command, self._account, seconds=_TIMEOUT_SECONDS, environment=self._libpq_environment())
        except OSError as refusal:
            raise EmbeddedError(
                f"{program} cannot be run ({refusal.strerror}): install PostgreSQL's client."
            ) from refusal
        except subprocess.TimeoutExpired as silence:
            raise EmbeddedError(f"PostgreSQL did not answer for {_TIMEOUT_SECONDS:.0f} s: {statement}") from silence
        if done.returncode != 0:
            raise EmbeddedError(f"PostgreSQL refused {statement}: {done.stderr.strip()}")

    def _libpq_environment(self) -> dict[str, str]:
        return {
            "PGHOST": HOST,
            "PGPORT": str(self.port),
            "PGUSER": USER,
            "PGPASSWORD": self.password,
            "PGDATABASE": "postgres",
        }


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _check_complete(folder: Path) -> None:
    for part in ("data/PG_VERSION", "password"):
        if not (folder / part).exists():
            raise EmbeddedError(
                f"{folder / part} is missing: restore it, or move {folder} away to start with new data."
            )


def _check_version(data: Path, programs: PostgresPrograms) -> None:
    made_by = (data / "PG_VERSION").read_text().strip()
    if made_by != str(programs.major):
        raise EmbeddedError(
            f"The data in {data} belong to PostgreSQL {made_by}, but {programs.folder} is PostgreSQL "
            f"{programs.major}: install PostgreSQL {made_by}, or move {data.parent} away to start with new data."
        )


def _lock_file_lines(data: Path) -> list[str]:
    try:
        return (data / "postmaster.pid").read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return []


def _clear_lock_file(data: Path) -> None:
    """Remove the lock file of a killed server.

    PostgreSQL does this itself, except when another process has the old process id now; this is common in containers,
    where ids are small. The shared memory of a running server is a second lock, which stays.

    Raises:
        EmbeddedError: another server uses the data.
    """
    lines = _lock_file_lines(data)
    pid = int(lines[0]) if lines and lines[0].isdigit() else 0
    if pid and watchdog.identity(pid) and _works_in(pid, data):
        raise EmbeddedError(f"Another PostgreSQL (process {pid}) uses {data}: stop it.")
    with contextlib.suppress(FileNotFoundError):
        (data / "postmaster.pid").unlink()


def _works_in(pid: int, data: Path) -> bool:
    """Whether process *pid* is a PostgreSQL that uses *data*; without /proc, whether it may be one."""
    if Path("/proc/self").is_dir():
        try:
            return os.path.samestat(Path(f"/proc/{pid}/cwd").stat(), data.stat())
        except OSError:
            return False
    ps = shutil.which("ps") or "ps"
    done = subprocess.run([ps, "-p", str(pid), "-o", "comm="], capture_output=True, text=True, timeout=10, check=False)
    return "postgres" in done.stdout
