"""A private Valkey (or Redis)."""

import signal

from embedded import watchdog
from embedded.accounts import account_for
from embedded.binaries import find_valkey
from embedded.ports import HOST
from embedded.processes import Child
from embedded.server import PrivateServer, StopMode, keep_password, make_private

# It has counters of rate limits, and sends notifications: nothing that must be stored. When the memory is full, the
# counters that expire next are removed.
_CONFIGURATION = """\
bind {host}
port {port}
requirepass {password}
save ""
appendonly no
maxmemory 64mb
maxmemory-policy volatile-ttl
"""


class Valkey(PrivateServer):
    """A Valkey server. Between runs it keeps only its port and its password."""

    name = "Valkey"
    plan = ((signal.SIGTERM, 3.0), (signal.SIGKILL, 3.0))

    @property
    def url(self) -> str:
        """redis://:PASSWORD@127.0.0.1:PORT/0"""
        return f"redis://:{self.password}@{HOST}:{self.port}/0"

    def plan_for(self, mode: StopMode) -> watchdog.Plan:
        """The signals for *mode*."""
        return self.plan if mode == "fast" else ((signal.SIGKILL, 3.0),)

    def _prepare(self) -> None:
        make_private(self.folder)
        keep_password(self.folder)

    def _launch(self, port: int) -> Child:
        account = account_for()
        # The configuration goes to standard input: all users of the machine can read command lines.
        return Child(
            [str(find_valkey(account)), "-"],
            log=self.log,
            plan=self.plan,
            account=account,
            input_text=self._configuration(port),
        )

    def _configuration(self, port: int) -> str:
        return _CONFIGURATION.format(host=HOST, port=port, password=self.password)

    def _is_ready(self, child: Child, log: str) -> bool:
        # It does not connect: if another process has taken the port, this would send the password to it.
        return "Ready to accept connections" in log
