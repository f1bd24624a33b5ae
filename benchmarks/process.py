"""A server process: start, pin, measure and stop it."""

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

MEGABYTE: Final = 1_000_000
_PATIENCE_SECONDS: Final = 180.0
"""A server that is not ready after this time does not start."""


@dataclass(frozen=True, slots=True)
class ServerProcess:
    """A process that listens on `port`."""

    port: int
    pid: int

    @property
    def memory(self) -> int:
        """Bytes of private memory."""
        for line in Path(f"/proc/{self.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Private_Dirty:"):
                return int(line.split()[1]) * 1024
        raise RuntimeError("The kernel does not report the memory of a process.")

    def forget_peak(self) -> None:
        """Reset the peak of the memory."""
        for process in self._tree():
            Path(f"/proc/{process.pid}/clear_refs").write_text("5")

    @property
    def peak(self) -> int:
        """The peak in bytes (RSS) since then, including child processes."""
        total = 0
        for process in self._tree():
            for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    total += int(line.split()[1]) * 1024
        return total

    @property
    def tree_memory(self) -> int:
        """Bytes in memory, including child processes; shared pages count once (PSS)."""
        total = 0
        for process in self._tree():
            with suppress(psutil.NoSuchProcess, FileNotFoundError):
                total += process.memory_full_info().pss
        return total

    @property
    def cpu_seconds(self) -> float:
        """User and system time since the start, including child processes."""
        times = [process.cpu_times() for process in self._tree()]
        return sum(each.user + each.system for each in times)

    def _tree(self) -> list[psutil.Process]:
        root = psutil.Process(self.pid)
        return [root, *root.children(recursive=True)]


@contextmanager
def serving(
    database_url: str,
    redis_url: str,
    *,
    shared: bool = True,
    cpu: int | None = None,
    port: int | None = None,
    gaps: Path | None = None,
) -> Iterator[ServerProcess]:
    """Our server on *port* or on a free one, pinned to *cpu* if it is given.

    It writes into the file *gaps* how long its event loop was blocked.
    """
    port = port or free_port()
    command = [sys.executable, "-m", "benchmarks.server", database_url, redis_url, str(port)]
    command += [] if shared else ["--apart"]
    command += [] if gaps is None else ["--gaps", str(gaps)]
    with started(command, port=port, cpu=cpu) as server:
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
    """A program that listens on *port*. It is pinned before it starts, which also pins its threads and child processes.

    Raises:
        RuntimeError: it does not start.
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
    """A core for the server and one for everything else; None if there is only one, or if pinning is not possible.

    The first call must come before this process is pinned; its result is cached.
    """
    here = _allowed()
    return (here[0], here[1]) if len(here) > 1 else (None, None)


@cache
def everywhere() -> str | None:
    """The cores of this process before it was pinned, as `taskset` expects them; None if pinning is not possible."""
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
    raise RuntimeError("The server did not start.")
