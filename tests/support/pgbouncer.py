"""A real PgBouncer in front of a PostgreSQL of this machine."""

import os
import re
import shutil
import signal
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Final

from embedded import watchdog
from embedded.accounts import OSAccount, account_for
from embedded.cluster import USER
from embedded.ports import HOST
from embedded.postgres import Postgres
from embedded.processes import Child, run
from embedded.server import PrivateServer, StopMode, make_private

CHOSEN: Final = "PGBOUNCER"
"""The environment variable with the program to use."""
MANAGES_STATEMENTS: Final = (1, 21)
"""The first version with `max_prepared_statements`."""
_PATHS: Final = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin"
_CONFIGURATION: Final = """\
[databases]
* = host={host} port={to}
[pgbouncer]
listen_addr = {host}
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {users}
stats_users = {stats_users}
max_client_conn = 200
server_round_robin = 1
{settings}
"""


def find_pgbouncer() -> str | None:
    """The program of this machine; None if there is none."""
    return os.environ.get(CHOSEN) or shutil.which("pgbouncer", path=_PATHS)


def version_of(program: str) -> tuple[int, int]:
    """The version."""
    printed = run([program, "--version"], OSAccount(), seconds=30).stdout
    found = re.search(r"PgBouncer (\d+)\.(\d+)", printed)
    assert found is not None, printed
    return int(found[1]), int(found[2])


class PgBouncer(PrivateServer):
    """A PgBouncer whose sessions rotate: each transaction gets the one that has been free for the longest time.

    *settings* are those of its configuration, such as `pool_mode`. *stats_users* may read it.
    """

    name = "PgBouncer"
    plan = ((signal.SIGTERM, 3.0), (signal.SIGKILL, 3.0))
    transient_errors = ("Address already in use", "cannot bind")

    def __init__(
        self, folder: Path, program: str, server: Postgres, *, stats_users: str = USER, **settings: object
    ) -> None:
        super().__init__(folder)
        self._program = program
        self._server = server
        self._stats_users = stats_users
        self._settings = settings

    @property
    def url(self) -> str:
        """The URL of the usual database, through this pooler."""
        return self.through(self._server.url)

    def through(self, url: str) -> str:
        """The URL of another database of the server, through this pooler."""
        return url.replace(f"{HOST}:{self._server.port}", f"{HOST}:{self.port}")

    def plan_for(self, mode: StopMode) -> watchdog.Plan:
        """The signals for *mode*."""
        return self.plan if mode == "fast" else ((signal.SIGKILL, 3.0),)

    def _prepare(self) -> None:
        make_private(self.folder)

    def _launch(self, port: int) -> Child:
        account = account_for()
        with ExitStack() as files:
            users = _readable(files, account, f'"{USER}" "{self._server.password}"\n')
            configuration = _CONFIGURATION.format(
                host=HOST,
                to=self._server.port,
                port=port,
                users=f"/dev/fd/{users.fileno()}",
                stats_users=self._stats_users,
                settings="\n".join(f"{name} = {value}" for name, value in self._settings.items()),
            )
            main = _readable(files, account, configuration)
            return Child(
                [self._program, f"/dev/fd/{main.fileno()}"],
                log=self.log,
                plan=self.plan,
                account=account,
                open_files=[users.fileno(), main.fileno()],
            )

    def _is_ready(self, child: Child, log: str) -> bool:
        return "process up" in log


def _readable(files: ExitStack, account: OSAccount, text: str) -> IO[str]:
    """An open file for the program: it cannot enter the folder of the tests."""
    file = files.enter_context(tempfile.TemporaryFile("w+"))  # noqa: SIM115 - it does
    file.write(text)
    file.flush()
    account.give_open(file.fileno())
    return file
