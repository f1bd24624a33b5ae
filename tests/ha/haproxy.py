"""HAProxy: it leads connections to the primary, which it finds by Patroni's REST API."""

import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.ha.node import Node
from tests.ha.programs import Programs
from tests.ha.service import Service
from tests.support.ports import reserved_port

HARD_STOP_SECONDS: Final = 10
"""After a reload the old process checks no servers. It must not serve its connections for long: the primary may change,
and it would not close them.
"""
_CONFIGURATION: Final = """\
global
    maxconn 1000
    hard-stop-after {hard_stop}s
defaults
    mode tcp
    timeout connect 2s
    timeout client 30m
    timeout server 30m
    timeout check 2s
listen primary
    bind 127.0.0.1:{port}
    option httpchk GET /primary
    http-check expect status 200
    default-server inter 1s fall 2 rise 1 on-marked-down shutdown-sessions
{servers}
"""


class HAProxy(Service):
    """HAProxy in front of the nodes."""

    def __init__(self, folder: Path, programs: Programs, nodes: Sequence[Node]) -> None:
        super().__init__(folder / "haproxy", programs.account)
        self.port = reserved_port()
        self._program = programs.haproxy
        servers = "\n".join(_line(node) for node in nodes)
        text = _CONFIGURATION.format(port=self.port, servers=servers, hard_stop=HARD_STOP_SECONDS)
        self._configuration = self.write("haproxy.cfg", text)

    def start(self) -> None:
        """Start a master process, which starts the others."""
        self.launch([self._program, "-W", "-db", "-f", str(self._configuration)])

    def reload(self) -> None:
        """Let another process with the same configuration take over new connections."""
        assert self._child is not None
        self._child.send(signal.SIGUSR2)


def _line(node: Node) -> str:
    return f"    server {node.name} 127.0.0.1:{node.postgres_port} check port {node.api_port}"
