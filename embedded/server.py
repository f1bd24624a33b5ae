"""What both servers have in common: a folder, a port, a password, a process, and ways to hurt it in tests."""

import contextlib
import secrets
import signal
import time
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from embedded import watchdog
from embedded.errors import EmbeddedError, last_lines, told_about
from embedded.ports import free_port
from embedded.processes import Child

StopMode = Literal["fast", "immediate"]

_START_PATIENCE = 60.0
_RETRY_PATIENCE = 15.0
_LOG_LIMIT = 1_000_000
_POLL = 0.01


class Server(ABC):
    """One private server. A context manager too: started on entering, stopped on leaving.

    It listens on the loopback interface only and wants a password: other users of the machine stay outside.
    The port and the password are kept in the folder, so the URL stays the same while the port stays free. Two
    objects must not share a folder; `running` sees to that with a lock.
    """

    name: str
    """How people call it."""
    plan: watchdog.Plan
    """How it is ended when nobody is left to say how."""
    passing_troubles: tuple[str, ...] = ("Address already in use",)
    """What the log says when another try may succeed."""

    def __init__(self, folder: Path) -> None:
        """Everything about the server is kept in *folder*, which is made when needed."""
        self.folder = folder.absolute()
        self.log = self.folder / "log"
        self._child: Child | None = None
        self._port: int | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """Where clients find the server, password included."""

    @property
    def pid(self) -> int:
        """The process id of the server, of the last one if it does not run."""
        return self._started().pid

    @property
    def port(self) -> int:
        """The TCP port on the loopback interface."""
        if self._port is None:
            raise EmbeddedError(f"{self.name} in {self.folder} has not been started: call start() first.")
        return self._port

    @property
    def password(self) -> str:
        """The password, made once and kept in the folder."""
        return _read(self.folder / "password") or ""

    def start(self) -> None:
        """Start the server and wait until it takes connections. The second time it takes the same port.

        Raises:
            EmbeddedError: if it runs already, or cannot be started; says what to do.
        """
        if self._child is not None and self._child.alive:
            raise EmbeddedError(f"{self.name} in {self.folder} runs already (process {self.pid}).")
        with told_about(self.folder):
            self._prepare()
            self._end_predecessor()
            self._cut_log()
            self._try_until_it_starts()

    def find(self) -> bool:
        """Take note of where the server is that another process has started in the folder; whether one runs there."""
        pid, _, who = (_read(self.folder / "process") or "").partition(" ")
        self._port = self._last_port()
        return self._port is not None and pid.isdigit() and watchdog.identity(int(pid)) == who

    def stop(self, mode: StopMode = "fast") -> None:
        """Stop the server: *fast* breaks connections in an orderly way, *immediate* is like a crash.

        A frozen server is thawed for it. Stopping what does not run does nothing.

        Raises:
            EmbeddedError: if the process cannot be ended.
        """
        if self._child is not None:
            self._child.put_down(self.plan_for(mode))
            (self.folder / "process").unlink(missing_ok=True)

    def kill(self) -> None:
        """End the server with all its processes by SIGKILL, as a loss of power would."""
        self._started().put_down([(signal.SIGKILL, 5.0)])

    def freeze(self) -> None:
        """Stop the clock of the server: connections stay open, nothing answers until `thaw`."""
        child = self._started()
        child.send(signal.SIGSTOP)  # first, so that it has no more children
        child.send(signal.SIGSTOP, family=True)

    def thaw(self) -> None:
        """Let a frozen server go on."""
        self._started().send(signal.SIGCONT, family=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @abstractmethod
    def plan_for(self, mode: StopMode) -> watchdog.Plan:
        """The signals of a way to stop."""

    @abstractmethod
    def _prepare(self) -> None:
        """Make the folder ready."""

    @abstractmethod
    def _launch(self, port: int) -> Child:
        """Start the process; do not wait."""

    @abstractmethod
    def _is_ready(self, child: Child, log: str) -> bool:
        """Whether it takes connections; *log* is what it has logged since its start."""

    def _started(self) -> Child:
        if self._child is None:
            raise EmbeddedError(f"{self.name} in {self.folder} has not been started: call start() first.")
        return self._child

    def _try_until_it_starts(self) -> None:
        deadline = time.monotonic() + _RETRY_PATIENCE
        while not self._try_once():
            if time.monotonic() > deadline:
                raise EmbeddedError(self._failure("did not start"))
            time.sleep(0.2)

    def _try_once(self) -> bool:
        """One attempt; False if it failed for a reason that passes."""
        restarted = self._child is not None
        # Clients that wait for a restarted server know only its old port, so it gets no other.
        port = self.port if restarted else free_port(self._last_port())
        since = self.log.stat().st_size if self.log.exists() else 0
        child = self._launch(port)
        try:
            self._note(child, port)
            if self._wait_until_ready(child, since):
                self._child, self._port = child, port
                return True
        except BaseException:
            child.put_down()
            raise
        child.put_down()
        self._refuse_unless_it_passes(since)
        return False

    def _wait_until_ready(self, child: Child, since: int) -> bool:
        """False if the process has ended instead."""
        deadline = time.monotonic() + _START_PATIENCE
        while child.alive:
            if self._is_ready(child, self._logged(since)):
                return True
            if time.monotonic() > deadline:
                raise EmbeddedError(self._failure(f"was not ready after {_START_PATIENCE:.0f} seconds", since))
            time.sleep(_POLL)
        return False

    def _refuse_unless_it_passes(self, since: int) -> None:
        if not any(trouble in self._logged(since) for trouble in self.passing_troubles):
            raise EmbeddedError(self._failure("did not start", since))

    def _failure(self, what: str, since: int = 0) -> str:
        return f"{self.name} {what}. The end of {self.log}: {last_lines(self.log, since)}"

    def _logged(self, since: int) -> str:
        if not self.log.exists():
            return ""
        with self.log.open("rb") as file:
            file.seek(since)
            return file.read().decode(errors="replace")

    def _cut_log(self) -> None:
        if self.log.exists() and self.log.stat().st_size > _LOG_LIMIT:
            self.log.unlink()

    def _note(self, child: Child, port: int) -> None:
        """Keep for the next run the port, and which process to end if it outlives us and its watchdog."""
        _write(self.folder / "port", str(port))
        _write(self.folder / "process", f"{child.pid} {child.who}")

    def _last_port(self) -> int | None:
        text = _read(self.folder / "port")
        return int(text) if text and text.isdigit() else None

    def _end_predecessor(self) -> None:
        """End the server of a run that was killed. Its watchdog may be at it too; that does no harm."""
        pid, _, who = (_read(self.folder / "process") or "").partition(" ")
        if pid.isdigit() and not watchdog.put_down(int(pid), who, self.plan):
            raise EmbeddedError(f"{self.name} of an earlier run (process {pid}) does not end: end it by hand.")


def keep_password(folder: Path) -> None:
    """Make a password in *folder* unless there is one."""
    if not _read(folder / "password"):
        _write(folder / "password", secrets.token_hex(20))


def make_private(folder: Path) -> None:
    """Make *folder*, readable by its owner only, if it does not exist."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)


def _read(path: Path) -> str | None:
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        return None


def _write(path: Path, text: str) -> None:
    """Replace a private file as a whole: a reader, or a crash, finds the old text or the new one."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.touch(mode=0o600)
    fresh.write_text(text + "\n")
    fresh.replace(path)
