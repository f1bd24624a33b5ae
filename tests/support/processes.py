"""Commands as separate processes, with their own environment and recorded output, which always end."""

import asyncio
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from tests.embedded.environment import PROJECT, OSProcess, kill, processes_of, survivors
from tests.support.limits import PER_ADDRESS
from tests.support.ports import reserved_port
from tests.support.secrets import leaked_secrets
from tests.support.waiting import HANG_SECONDS


def environment(**values: object) -> dict[str, str]:
    """The environment of a command: only the path of the code, and these settings."""
    settings = {name: str(value) for name, value in values.items()}
    return {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "PYTHONPATH": str(PROJECT)} | settings


class Command:
    """`taskriver …` that runs in a folder, in a process group of its own as a shell would have it."""

    def __init__(
        self,
        *arguments: str,
        folder: Path,
        environment: Mapping[str, str],
        python: str = sys.executable,
        account: Mapping[str, Any] | None = None,
    ) -> None:
        """Start it; its two outputs go to files, so that it never waits for a reader."""
        self._out, self._err = (tempfile.TemporaryFile() for _ in range(2))  # noqa: SIM115 - closed by clean_up
        self.process = subprocess.Popen(
            [python, "-m", "cli", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=self._out,
            stderr=self._err,
            cwd=folder,
            env=environment,
            process_group=0,
            **(account or {}),
        )

    @property
    def out(self) -> str:
        """What it has printed so far."""
        return _text(self._out.fileno())

    @property
    def err(self) -> str:
        """What it has complained of so far."""
        return _text(self._err.fileno())

    @property
    def complaints(self) -> list[str]:
        """The lines of it that are not the log's usual ones."""
        return [line for line in self.err.splitlines() if '"level":"info"' not in line]

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self.process.poll() is None

    def prints(self, text: str, within: float = HANG_SECONDS) -> None:
        """Wait until it has printed this."""
        deadline = time.monotonic() + within
        while text not in self.out:
            assert self.alive, f"it ended with {self.process.returncode}: {self.out}{self.err}"
            assert time.monotonic() < deadline, f"not printed within {within} s: {self.out}{self.err}"
            time.sleep(0.02)

    def send(self, number: int, *, group: bool = False) -> None:
        """Send it a signal; with *group* to its process group, like Ctrl-C in a terminal."""
        if group:
            os.killpg(self.process.pid, number)
        else:
            self.process.send_signal(number)

    def ends(self, within: float = HANG_SECONDS) -> int:
        """Wait for its end; its exit status, negative for a signal."""
        return self.process.wait(within)

    def family(self) -> list[OSProcess]:
        """Its process and all descendants."""
        return processes_of(self.process.pid)

    def clean_up(self) -> None:
        """End everything that is left of it, and check that its log holds no secret."""
        if self.alive:
            kill(self.family())
        self.process.wait(HANG_SECONDS)
        log = self.err
        self._out.close()
        self._err.close()
        assert leaked_secrets(log) == []


class Served(Command):
    """`taskriver serve` on a loopback port of its own, with no limits per address."""

    def __init__(self, *, folder: Path, **settings: object) -> None:
        self.port = reserved_port()
        self.url = f"http://127.0.0.1:{self.port}"
        known = {"PORT": self.port} | {name.upper(): value for name, value in PER_ADDRESS.items()}
        super().__init__("serve", folder=folder, environment=environment(**(known | settings)))

    async def ready(self, within: float = HANG_SECONDS) -> "Served":
        """Wait until `/readyz` is green."""
        async with httpx.AsyncClient(timeout=HANG_SECONDS) as client, asyncio.timeout(within):
            while not await self._is_green(client):
                assert self.alive, f"it ended with {self.process.returncode}: {self.err}"
                await asyncio.sleep(0.05)
        return self

    async def ended(self, within: float = HANG_SECONDS) -> int:
        """Wait for its end without holding up the loop; its exit status."""
        return await asyncio.to_thread(self.ends, within)

    async def _is_green(self, client: httpx.AsyncClient) -> bool:
        try:
            return (await client.get(f"{self.url}/readyz", timeout=HANG_SECONDS)).status_code == 200
        except httpx.TransportError:
            return False


class Dev(Command):
    """`taskriver dev` on a free loopback port, in a folder."""

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        python: str = sys.executable,
        account: Mapping[str, Any] | None = None,
        **settings: object,
    ) -> None:
        self.port = port or reserved_port()
        self.url = f"http://127.0.0.1:{self.port}"
        known = environment(**({"PORT": self.port, "BCRYPT_ROUNDS": 4} | settings))
        super().__init__("dev", folder=folder, environment=known, python=python, account=account)

    def serves(self) -> "Dev":
        """Wait until it reports that it runs."""
        self.prints("Press Ctrl-C to stop.")
        return self

    def stops(self, number: int, *, group: bool = False) -> str:
        """It ends in order on a signal, without errors or remaining processes; returns its output."""
        processes = self.family()
        self.send(number, group=group)
        assert self.ends() == 0, self.out + self.err
        assert self.complaints == []
        assert survivors(processes) == []
        return self.out

    def refuses(self) -> str:
        """It ends with exit code 1 and one line, which is returned."""
        assert self.ends() == 1, self.out + self.err
        assert re.fullmatch(r"taskriver: [^\n]+\n", self.err), self.err
        return self.err


def _text(descriptor: int) -> str:
    return os.pread(descriptor, 1_000_000, 0).decode(errors="replace")
