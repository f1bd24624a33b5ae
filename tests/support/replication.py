"""A PostgreSQL and its standby."""

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from embedded.accounts import OSAccount, account_for
from embedded.binaries import find_postgres
from embedded.cluster import USER
from embedded.errors import EmbeddedError
from embedded.ports import HOST
from embedded.postgres import Postgres
from embedded.processes import run
from tests.support.waiting import HANG_SECONDS

NAME = "standby"
_REPLICATED = {
    "wal_level": "replica",
    "max_wal_senders": "10",
    "hot_standby": "on",
    "wal_receiver_status_interval": "1",
}


class Primary(Postgres):
    """A server that can have standbys. With *synchronous*, its commits wait for the one with the usual name."""

    def __init__(self, folder: Path, *, synchronous: bool) -> None:
        super().__init__(folder, durable=False)
        self._synchronous = synchronous

    def _settings(self) -> dict[str, str]:
        return super()._settings() | _REPLICATED

    def wait_for_standby(self) -> None:
        """Wait until the standby receives changes, and let commits wait for it if they should."""
        state = "SELECT 1 / count(*) FROM pg_stat_replication WHERE state = 'streaming'"
        _retry(lambda: self._execute(state))
        if self._synchronous:
            self.wait_for_commits()

    def wait_for_commits(self, *, enabled: bool = True) -> None:
        """Let commits wait for the standby from now on, or not."""
        self._execute(f"ALTER SYSTEM SET synchronous_standby_names = '{NAME if enabled else ''}'")
        self._execute("SELECT pg_reload_conf()")


class Standby(Primary):
    """A standby of a running server, with the same databases and the same password. It may be promoted."""

    def __init__(self, folder: Path, primary: Primary) -> None:
        super().__init__(folder, synchronous=primary._synchronous)
        self._primary = primary

    def _prepare(self) -> None:
        if not self.folder.exists():
            self._copy()
        super()._prepare()

    def _copy(self) -> None:
        """Copy the data of the primary."""
        account = account_for()
        program = find_postgres(account).folder / "pg_basebackup"
        self.folder.mkdir()
        command = [str(program), "--pgdata", str(self.data), "--checkpoint=fast", "--no-sync", "--write-recovery-conf"]
        environment = {**os.environ, **self._primary._libpq_environment()}
        done = run(command, OSAccount(), seconds=HANG_SECONDS, environment=environment)
        assert done.returncode == 0, done.stderr
        # A setting of the command line could not be changed by `disconnect`.
        with (self.data / "postgresql.auto.conf").open("a") as file:
            connection = f"host={HOST} port={self._primary.port} user={USER} password={self._primary.password}"
            file.write(f"primary_conninfo = '{connection} application_name={NAME}'\n")
        for folder, _, files in os.walk(self.data):
            for path in (Path(folder), *(Path(folder, name) for name in files)):
                account.give(path)
        shutil.copy(self._primary.folder / "password", self.folder / "password")

    def disconnect(self) -> None:
        """Receive no more changes."""
        self._execute("ALTER SYSTEM SET primary_conninfo = ''")
        self._execute("SELECT pg_reload_conf()")
        _retry(lambda: self._primary._execute("SELECT 1 / (count(*) = 0)::int FROM pg_stat_replication"))

    def promote(self) -> None:
        """Make it the primary, on a new timeline."""
        self._execute("SELECT pg_promote()")


def _retry(action: Callable[[], None]) -> None:
    until = time.monotonic() + HANG_SECONDS
    while True:
        try:
            return action()
        except EmbeddedError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
