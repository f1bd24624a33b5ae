"""Both servers for as long as a block runs."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from embedded.errors import EmbeddedError, told_about
from embedded.postgres import Postgres
from embedded.server import make_private
from embedded.valkey import Valkey


@dataclass(frozen=True)
class Servers:
    """Where clients find the servers, passwords included."""

    database_url: str
    redis_url: str


@contextmanager
def running(
    folder: Path, *, database_url: str | None = None, redis_url: str | None = None, durable: bool = True
) -> Iterator[Servers]:
    """Servers for as long as the block runs; data are kept in *folder* between runs.

    A URL that is given is used as it is and nothing is started for it; with both given the folder is not
    touched. *durable=False* is for tests: it trades the data's safety in a crash of the machine for speed.

    The servers are stopped when the block is left, by an exception too, and when this process dies, by
    SIGKILL too. A program that wants an orderly stop on SIGTERM turns that into an exception itself.

    Raises:
        EmbeddedError: if a server cannot be had, or another process uses the folder; says what to do.
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
    """The servers that another process of the same user runs in *folder*; None unless both run.

    Raises:
        EmbeddedError: the folder cannot be read.
    """
    postgres, valkey = Postgres(folder / "postgres"), Valkey(folder / "valkey")
    with told_about(folder.absolute()):
        both = postgres.find() and valkey.find()
        return Servers(postgres.url, valkey.url) if both else None


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep other processes out of *folder*. The kernel lets go of the lock however this process ends."""
    with told_about(folder):
        make_private(folder)
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        with told_about(folder):
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
