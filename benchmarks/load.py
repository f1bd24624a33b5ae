"""Requests without a pause, sent by wrk."""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.dialects import Request

CONNECTIONS: Final = 32
_SCRIPT: Final = Path(__file__).parent / "wrk.lua"
_GRACE_SECONDS: Final = 45
_WRK: Final = ("wrk", "-t1", "--timeout", "30s")
"""Slow responses are measured; they are not errors."""


class Missing(Exception):
    """A program is not installed. The message says how to install it."""


@dataclass(frozen=True, slots=True)
class Load:
    """The counts of wrk: requests per second, and milliseconds."""

    requests: int
    rate: float
    p50: float
    p95: float
    p99: float
    longest: float
    errors: int


def check_wrk() -> None:
    """Check that wrk is installed and that the system is Linux.

    Raises:
        Missing: it is not.
    """
    if not Path("/proc/self").is_dir():
        raise Missing("The comparison needs Linux: it pins processes to cores, and reads /proc.")
    if shutil.which("wrk") is None:
        raise Missing("wrk is missing: install it (apt-get install wrk, or brew install wrk).")


def write_requests(file: Path, requests: Sequence[Request]) -> None:
    """A file for `put_under_load`."""
    file.write_text("".join(f"{each.method}\t{each.path}\t{each.body}\n" for each in requests))


def put_under_load(port: int, requests: Path, token: str, seconds: float, connections: int = CONNECTIONS) -> Load:
    """Send the requests repeatedly for this time, from the core of this process.

    Raises:
        RuntimeError: wrk has not printed its counts.
    """
    done = subprocess.run(
        [*_WRK, f"-c{connections}", f"-d{seconds:g}s", "-s", str(_SCRIPT), f"http://127.0.0.1:{port}"],
        env={**os.environ, "TOKEN": token, "REQUESTS": str(requests)},
        capture_output=True,
        text=True,
        timeout=seconds + _GRACE_SECONDS,
        check=False,
    )
    result = re.search(r"RESULT ([\d ]+)", done.stdout)
    if result is None:
        raise RuntimeError(f"wrk failed: {done.stdout[-500:]} {done.stderr[-500:]}")
    count, micros, p50, p95, p99, longest, errors = map(int, result[1].split())
    return Load(count, count / (micros / 1e6), p50 / 1e3, p95 / 1e3, p99 / 1e3, longest / 1e3, errors)
