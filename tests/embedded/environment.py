"""Shared helpers: clients by URL, and programs that are started, observed and ended."""

import asyncio
import os
import secrets
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import asyncpg
import redis

from embedded import watchdog
from tests.support.waiting import HANG_SECONDS

PROJECT = Path(__file__).parents[2]

_HAS_PROC = Path("/proc/self/stat").exists()

OSProcess = tuple[int, str | None]
"""A process id and the identity of its process, because ids are reused."""


def query(database_url: str, *statements: str) -> Any:
    """Run statements in a new connection; returns the first value of the last one."""

    async def ask() -> Any:
        connection = await asyncpg.connect(database_url.replace("+asyncpg", ""), timeout=HANG_SECONDS)
        try:
            for statement in statements[:-1]:
                await connection.execute(statement)
            return await connection.fetchval(statements[-1])
        finally:
            await connection.close()

    return asyncio.run(ask())


def remember(database_url: str) -> str:
    """Commit a value; returns what `remembers` needs."""
    name = f"memory_{secrets.token_hex(4)}"
    query(database_url, f"CREATE TABLE {name} AS SELECT 42 AS answer", "SELECT 1")
    return name


def remembers(database_url: str, name: str) -> bool:
    """Whether the database has the committed value."""
    return bool(query(database_url, f"SELECT to_regclass('{name}') IS NOT NULL"))


def ping(redis_url: str) -> bool:
    """Whether the server at this URL answers."""
    with redis.Redis.from_url(redis_url, socket_timeout=HANG_SECONDS) as client:
        return bool(client.ping())


def processes_of(pid: int) -> list[OSProcess]:
    """A process and all its descendants."""
    processes, waiting = [], [pid]
    while waiting:
        current = waiting.pop()
        processes.append((current, watchdog.identity(current)))
        waiting += watchdog.family(current)[1:]
    return processes


def command_line(pid: int) -> str:
    """The command line of a process, as every user of the machine can read it."""
    if _HAS_PROC:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace").replace("\0", " ")
    return _ps(pid, "args=")


def owner(pid: int) -> int:
    """The user id of a process."""
    return Path(f"/proc/{pid}").stat().st_uid if _HAS_PROC else int(_ps(pid, "uid="))


def _ps(pid: int, field: str) -> str:
    return subprocess.run(["ps", "-p", str(pid), "-o", field], capture_output=True, text=True, check=True).stdout


def survivors(processes: Sequence[OSProcess], seconds: float = HANG_SECONDS) -> list[int]:
    """The processes that still run at the deadline; returns earlier when none runs."""
    deadline = time.monotonic() + seconds
    while (alive := [pid for pid, identity in processes if identity and watchdog.identity(pid) == identity]) and (
        time.monotonic() < deadline
    ):
        time.sleep(0.02)
    return alive


def kill(processes: Sequence[OSProcess]) -> None:
    """SIGKILL those that still run."""
    for pid, identity in processes:
        if identity and watchdog.identity(pid) == identity:
            watchdog.send(signal.SIGKILL, [pid])


@dataclass(frozen=True)
class User:
    """A user who runs programs: the interpreter, the path of packages, and the account."""

    python: str = sys.executable
    packages: Path = PROJECT
    environment: Mapping[str, str] = field(default_factory=dict)
    account: Mapping[str, Any] = field(default_factory=dict)

    def run(self, *arguments: str) -> subprocess.Popen[str]:
        """Start the interpreter in its own session and process group."""
        return subprocess.Popen(
            [self.python, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd="/",
            env={**os.environ, "PYTHONPATH": str(self.packages), **self.environment},
            start_new_session=True,
            **self.account,
        )


class Run:
    """`python -m embedded FOLDER` (or another program that prints the two URLs), from outside."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.processes = processes_of(process.pid)

    def ready(self) -> Self:
        """Wait for the URLs, and record all processes."""
        assert self.process.stdout is not None
        assert select.select([self.process.stdout], [], [], HANG_SECONDS)[0], "neither URLs nor an end"
        self.database_url, self.redis_url = (self._line() for _ in range(2))
        self.processes = processes_of(self.process.pid)
        return self

    def refusal(self) -> str:
        """The error message of a failed start."""
        _, output = self.process.communicate(timeout=HANG_SECONDS)
        assert self.process.returncode == 1, output
        return output

    def end(self, number: int) -> int:
        """Send a signal and wait for the end; returns the exit status."""
        self.process.send_signal(number)
        return self.process.wait(HANG_SECONDS)

    def clean_up(self) -> None:
        """End everything that is left."""
        if self.process.poll() is None:
            self.processes += processes_of(self.process.pid)
        kill(self.processes)
        self.process.communicate(timeout=HANG_SECONDS)

    def _line(self) -> str:
        assert self.process.stdout is not None
        name, _, value = self.process.stdout.readline().strip().partition("=")
        assert name in ("DATABASE_URL", "REDIS_URL"), self.process.communicate(timeout=HANG_SECONDS)
        return value
