"""PgBouncer between the server processes and HAProxy: each transaction gets any connection to the primary."""

import asyncio
import signal
from pathlib import Path
from typing import Final

from persistence.pooler import Pooler
from tests.ha.programs import Programs
from tests.ha.service import Service
from tests.support.pgbouncer import MANAGES_STATEMENTS, version_of
from tests.support.ports import reserved_port

_STOP: Final = ((signal.SIGTERM, 5.0), (signal.SIGKILL, 3.0))
_CONFIGURATION: Final = """\
[databases]
{user} = host=127.0.0.1 port={target}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {users}
pool_mode = transaction
max_client_conn = 400
default_pool_size = 40
server_connect_timeout = 2
server_login_retry = 1
log_connections = 0
log_disconnections = 0
"""
_MANAGED: Final = "max_prepared_statements = 200\n"


class PgBouncer(Service):
    """PgBouncer for the database of the product."""

    def __init__(self, folder: Path, programs: Programs, target: int, user: str, password: str) -> None:
        super().__init__(folder / "pgbouncer", programs.account)
        self.port = reserved_port()
        self._program = programs.pgbouncer
        users = self.write("users.txt", f'"{user}" "{password}"\n')
        self._manages_statements = version_of(self._program) >= MANAGES_STATEMENTS
        text = _CONFIGURATION.format(user=user, target=target, port=self.port, users=users)
        self._configuration = self.write("pgbouncer.ini", text + (_MANAGED if self._manages_statements else ""))

    @property
    def kind(self) -> Pooler:
        """What it is for the product, which depends on its version."""
        return Pooler.PREPARED if self._manages_statements else Pooler.UNPREPARED

    def start(self) -> None:
        """Start it, for the first time or again."""
        self.launch([self._program, str(self._configuration)])

    async def restart(self) -> None:
        """End it, with the connections and transactions that it has, and start it again."""
        assert self._child is not None
        await asyncio.to_thread(self._child.terminate, _STOP)
        self.start()
