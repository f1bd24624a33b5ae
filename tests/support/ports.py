"""Ports for server processes of tests: each is used once."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from random import SystemRandom
from typing import Final

from embedded.ports import HOST

# Below the ports of the embedded servers and of outgoing connections: neither can take one of these.
_RANGE: Final = range(10_000, 20_000)
_random: Final = SystemRandom()  # test runs with the same seed must not choose the same ports
_locks: Final[list[socket.socket]] = []


def reserved_port() -> int:
    """A TCP port that no other test process on this machine is given until this process ends.

    The lock is the UDP port of the same number: the operating system releases it, however this process ends.
    """
    start = _random.randrange(len(_RANGE))
    return next(port for port in chain(_RANGE[start:], _RANGE[:start]) if _lock(port) and _is_free(port))


@contextmanager
def closed_port() -> Iterator[int]:
    """A port on which connections are refused: it is bound, and nothing listens on it."""
    with socket.socket() as bound:
        bound.bind((HOST, 0))
        yield bound.getsockname()[1]


def _lock(port: int) -> bool:
    lock = _bound(socket.SOCK_DGRAM, port)
    if lock is not None:
        _locks.append(lock)
    return lock is not None


def _is_free(port: int) -> bool:
    probe = _bound(socket.SOCK_STREAM, port)
    if probe is not None:
        probe.close()
    return probe is not None


def _bound(kind: socket.SocketKind, port: int) -> socket.socket | None:
    bound = socket.socket(socket.AF_INET, kind)
    try:
        bound.bind((HOST, port))
    except OSError:
        bound.close()
        return None
    return bound
