"""Runs both servers during a `with` block."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from embedded.errors import EmbeddedError, wrap_os_errors
from embedded.postgres import Postgres
from embedded.server import make_private
from embedded.valkey import Valkey


@dataclass(frozen=True)
class Servers:
    """The URLs of the servers, with passwords."""

    database_url: str
    redis_url: str


@contextmanager
def running(
    folder: Path, *, database_url: str | None = None, redis_url: str | None = None, durable: bool = True
) -> Iterator[Servers]:
    """Run the servers during the block; their data stay in *folder* between runs.

    For a URL that is given no server is started; with both URLs the folder is not used. *durable=False* is for tests:
    it is faster, but a crash of the machine can lose data.

    The servers stop at the end of the block, also after an exception, and when this process dies, even by SIGKILL. A
    program that needs an orderly stop on SIGTERM must convert the signal to an exception.

    Raises:
        EmbeddedError: a server cannot run, or another process uses the folder; the message says what to do.
    """
    if database_url is not None and redis_url is not None:
        yield Servers(database_url, redis_url)
        return
    with ExitStack() as stack:
        stack.enter_context(_locked(folder.absolute()))
        if redis_url is None:
            redis_url = stack.enter_context(Valkey(folder / "valkey")).url
        if database_url is None:
            database_url = stack.enter_context(Postgres(folder / "postgres", durable=durable)).url
        yield Servers(database_url, redis_url)


def found(folder: Path) -> Servers | None:
    """The servers that another process of the same user runs in *folder*; None if not both are running.

    Raises:
        EmbeddedError: the folder cannot be read.
    """
    postgres, valkey = Postgres(folder / "postgres"), Valkey(folder / "valkey")
    with wrap_os_errors(folder.absolute()):
        both = postgres.find() and valkey.find()
        return Servers(postgres.url, valkey.url) if both else None


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Lock *folder* for this process. The kernel releases the lock when this process ends."""
    with wrap_os_errors(folder):
        make_private(folder)
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        with wrap_os_errors(folder):
            _take(descriptor, folder)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(descriptor, 20).decode(errors="replace").strip() or "unknown"
        raise EmbeddedError(
            f"Another taskriver (process {holder}) is using {folder}: stop it, or use another folder."
        ) from None
    os.ftruncate(descriptor, 0)
    os.write(descriptor, f"{os.getpid()}\n".encode())
