"""`taskriver serve` in its own process, in which faults can be injected."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.ports import reserved_port
from tests.support.waiting import HANG_SECONDS
from verification.client.failures import Failed
from verification.client.http import Api

PROJECT = Path(__file__).parents[2]


class Process:
    """One server process. It has the same port when it is started again. Use it as a context manager.

    *code* is the folder with the code that it runs when it is started.
    """

    def __init__(self, folder: Path, name: str, settings: dict[str, str], code: Path = PROJECT) -> None:
        self.code = code
        self.port = reserved_port()
        self.log = folder / f"{name}.log"
        self._folder = folder
        self._settings = {"PORT": str(self.port), **settings}
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def api(self) -> Api:
        """The endpoint, without a proxy."""
        return Api(f"http://127.0.0.1:{self.port}/graphql", timeout=8)

    @property
    def child(self) -> subprocess.Popen[bytes]:
        """The current process, or the last one."""
        assert self._child is not None, "it has not been started"
        return self._child

    def launch(self) -> None:
        """Start it without waiting."""
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                [sys.executable, "-m", "cli", "serve"],
                cwd=self._folder,  # there is no .env
                env={**os.environ, "PYTHONPATH": str(self.code), **self._settings},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    async def ready(self) -> None:
        """Wait until it is ready."""
        async with asyncio.timeout(HANG_SECONDS):
            while not await self.answers():
                assert self.child.poll() is None, self.log.read_text()
                await asyncio.sleep(0.02)

    async def answers(self) -> bool:
        """Whether it answers."""
        try:
            return bool(await self.api.ask("{ __typename }"))
        except Failed:
            return False

    async def ended(self, patience: float = HANG_SECONDS) -> int:
        """Wait until it has ended; returns its exit status."""
        async with asyncio.timeout(patience):
            while (status := self.child.poll()) is None:
                await asyncio.sleep(0.01)
        return status

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.child.send_signal(number)

    def logged_errors(self) -> list[str]:
        """The unexpected errors that it logged."""
        if not self.log.exists():
            return []
        signs = ("Traceback", "unexpected failure", "Exception in ASGI", "never retrieved", "Fatal error")
        return [line for line in self.log.read_text(errors="replace").splitlines() if any(s in line for s in signs)]

    async def __aenter__(self) -> Self:
        self.launch()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()
