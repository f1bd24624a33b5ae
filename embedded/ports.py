"""Free TCP ports of the loopback interface."""

import random
import socket

from embedded.errors import EmbeddedError

HOST = "127.0.0.1"

# Below the ephemeral ports. With an ephemeral port, a client that repeatedly connects to a stopped server may connect
# to itself, and then it occupies the server's port.
_RANGE = range(20_000, 32_000)


def free_port(preferred: int | None = None) -> int:
    """A free port, the preferred one if possible. Another process may still take it first.

    Raises:
        EmbeddedError: there is none.
    """
    for port in (preferred, *random.sample(_RANGE, 50)):
        if port is not None and _is_free(port):
            return port
    raise EmbeddedError(f"There is no free port on {HOST}: check that the loopback interface is up.")


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # Like servers: a port whose connections are in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True
