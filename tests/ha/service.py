"""A program of the cluster in its own process."""

import json
import signal
from pathlib import Path
from typing import Any, Final

from embedded import watchdog
from embedded.accounts import OSAccount
from embedded.processes import Child

PLAN: Final = ((signal.SIGTERM, 8.0), (signal.SIGKILL, 3.0))
"""What the watchdog sends when this process dies."""


class Service:
    """A program with a folder of its own. The folder belongs to the user of the program."""

    def __init__(self, folder: Path, account: OSAccount) -> None:
        self.folder = folder
        self.log = folder.with_suffix(".log")
        self.account = account
        self._child: Child | None = None
        folder.mkdir(mode=0o700)
        account.give(folder)

    @property
    def pid(self) -> int:
        """The process id of the program, or of the last one."""
        assert self._child is not None, "it has not been started"
        return self._child.pid

    def launch(self, command: list[str]) -> None:
        """Start a program without waiting."""
        self._child = Child(command, log=self.log, plan=PLAN, account=self.account)

    def check(self) -> None:
        """Check that the program runs.

        Raises:
            AssertionError: it has ended; the text is the end of its log.
        """
        assert self._child is not None, "it has not been started"
        assert self._child.alive, self.log.read_text(errors="replace")[-3000:]

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the program and its children."""
        watchdog.send(number, watchdog.family(self.pid))

    def kill(self) -> None:
        """SIGKILL of the program and its children."""
        if self._child is not None:
            self._child.terminate([(signal.SIGKILL, 5.0)])

    def stop(self) -> None:
        """SIGTERM, and SIGKILL for a program that does not end."""
        if self._child is not None:
            self._child.terminate()

    def write(self, name: str, content: str | dict[str, Any]) -> Path:
        """Write a file that only the user of the program can read; a dictionary as JSON."""
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(content if isinstance(content, str) else json.dumps(content, indent=2))
        self.account.give(path)
        return path
