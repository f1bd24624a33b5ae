"""A server process: started, pinned, weighed and ended."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class ServerProcess:
    """One that answers at `port`."""

    port: int
    pid: int

    @property
    def cpu_seconds(self) -> float:
        """User and system time since it began."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    @property
    def memory(self) -> int:
        """Bytes that are its own."""
        for line in Path(f"/proc/{self.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Private_Dirty:"):
                return int(line.split()[1]) * 1024
        raise RuntimeError("The kernel does not say how much memory a process has.")


@contextmanager
def serving(database_url: str, redis_url: str, *, shared: bool, cpu: int | None = None) -> Iterator[ServerProcess]:
    """A server on a free port of this machine, on one core if there are several."""
    port = _free_port()
    command = [sys.executable, "-m", "benchmarks.server", database_url, redis_url, str(port)]
    process = subprocess.Popen([*command, "shared" if shared else "apart"])
    try:
        if cpu is not None:
            os.sched_setaffinity(process.pid, {cpu})
        _wait_for(port, process)
        yield ServerProcess(port, process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()


def cores() -> tuple[int | None, int | None]:
    """A core for the server and one for everything else; None where there is only one, or no say in it."""
    if not hasattr(os, "sched_getaffinity"):
        return None, None
    here = sorted(os.sched_getaffinity(0))
    return (here[0], here[1]) if len(here) > 1 else (None, None)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("The server did not come up.")
