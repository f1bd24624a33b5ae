"""A server process: started, pinned, weighed and ended."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, Final

import psutil

from embedded.ports import free_port

_PATIENCE_SECONDS: Final = 180.0
"""Only a hang takes longer, on any machine."""


@dataclass(frozen=True, slots=True)
class ServerProcess:
    """One that answers at `port`."""

    port: int
    pid: int

    @property
    def memory(self) -> int:
        """Bytes that are its own."""
        for line in Path(f"/proc/{self.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Private_Dirty:"):
                return int(line.split()[1]) * 1024
        raise RuntimeError("The kernel does not say how much memory a process has.")

    def forget_peak(self) -> None:
        """Begin anew to look for the most memory that it has had."""
        for process in self._tree():
            Path(f"/proc/{process.pid}/clear_refs").write_text("5")

    @property
    def peak(self) -> int:
        """The most bytes in memory (RSS) since then, it and its children together."""
        total = 0
        for process in self._tree():
            for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    total += int(line.split()[1]) * 1024
        return total

    @property
    def tree_memory(self) -> int:
        """Bytes that it and its children have in memory, what they share counted once (PSS)."""
        total = 0
        for process in self._tree():
            with suppress(psutil.NoSuchProcess, FileNotFoundError):
                total += process.memory_full_info().pss
        return total

    @property
    def cpu_seconds(self) -> float:
        """User and system time since it began, of it and its children."""
        times = [process.cpu_times() for process in self._tree()]
        return sum(each.user + each.system for each in times)

    def _tree(self) -> list[psutil.Process]:
        root = psutil.Process(self.pid)
        return [root, *root.children(recursive=True)]


@contextmanager
def serving(
    database_url: str, redis_url: str, *, shared: bool = True, cpu: int | None = None
) -> Iterator[ServerProcess]:
    """Our server on a free port of this machine, on one core if there are several."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.server", database_url, redis_url, str(port)]
    with started(command if shared else [*command, "--apart"], port=port, cpu=cpu) as server:
        yield server


@contextmanager
def started(
    command: Sequence[str],
    *,
    port: int,
    cpu: int | str | None = None,
    environment: Mapping[str, str] | None = None,
    log: IO[str] | None = None,
) -> Iterator[ServerProcess]:
    """A program that will answer at *port*; pinned before it starts, so that its threads and children are, too.

    Raises:
        RuntimeError: it does not come up.
    """
    pinned = ["taskset", "--cpu-list", str(cpu), *command] if cpu is not None else command
    process = subprocess.Popen(pinned, env={**os.environ, **(environment or {})}, stdout=log, stderr=log)
    try:
        _wait_for(port, process)
        yield ServerProcess(port, process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()


@cache
def cores() -> tuple[int | None, int | None]:
    """A core for the server and one for everything else; None where there is only one, or no say in it.

    Asked for the first time before anything is pinned, and always answered alike.
    """
    here = _allowed()
    return (here[0], here[1]) if len(here) > 1 else (None, None)


@cache
def everywhere() -> str | None:
    """All cores that this process had before it was pinned, in the words of `taskset`; None where it has no say."""
    return ",".join(map(str, _allowed())) or None


def _allowed() -> list[int]:
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("The server did not come up.")
