"""A private Valkey (or Redis)."""

import signal

from embedded import watchdog
from embedded.accounts import account_for
from embedded.binaries import find_valkey
from embedded.ports import HOST
from embedded.processes import Child
from embedded.server import Server, StopMode, keep_password, make_private

# It holds throttle counters and rings a doorbell: nothing that is worth a disk. When it is full, the counters
# nearest to their end are the ones to lose.
_CONFIGURATION = """\
bind {host}
port {port}
requirepass {password}
save ""
appendonly no
maxmemory 64mb
maxmemory-policy volatile-ttl
"""


class Valkey(Server):
    """Keeps nothing between runs but its port and password."""

    name = "Valkey"
    plan = ((signal.SIGTERM, 3.0), (signal.SIGKILL, 3.0))

    @property
    def url(self) -> str:
        """redis://:PASSWORD@127.0.0.1:PORT/0"""
        return f"redis://:{self.password}@{HOST}:{self.port}/0"

    def plan_for(self, mode: StopMode) -> watchdog.Plan:
        """It has one way only to stop in order."""
        return self.plan if mode == "fast" else ((signal.SIGKILL, 3.0),)

    def _prepare(self) -> None:
        make_private(self.folder)
        keep_password(self.folder)

    def _launch(self, port: int) -> Child:
        account = account_for()
        # By its standard input, for a command line can be read by every user of the machine.
        configuration = _CONFIGURATION.format(host=HOST, port=port, password=self.password)
        return Child(
            [str(find_valkey(account)), "-"],
            log=self.log,
            plan=self.plan,
            account=account,
            told=configuration,
        )

    def _is_ready(self, child: Child, log: str) -> bool:
        # Not by connecting: on a port lost to somebody else that would hand them the password.
        return "Ready to accept connections" in log
