"""Free TCP ports of the loopback interface."""

import random
import socket

from embedded.errors import EmbeddedError

HOST = "127.0.0.1"

# Below the ports that systems give to outgoing connections. Among those, a client that keeps trying to reach
# a server which is down may be connected to itself, and then holds the server's port.
_RANGE = range(20_000, 32_000)


def free_port(preferred: int | None = None) -> int:
    """A port nobody listens on, the preferred one if possible. Another process may still be faster.

    Raises:
        EmbeddedError: if none can be found.
    """
    for port in (preferred, *random.sample(_RANGE, 50)):
        if port is not None and _is_free(port):
            return port
    raise EmbeddedError(f"No port of {HOST} can be listened on: see that the loopback interface is up.")


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: a port on which connections are only fading away is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True
