"""The common base of both servers: folder, port, password and process; tests can kill and freeze a server."""

import contextlib
import secrets
import signal
import time
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from embedded import watchdog
from embedded.errors import EmbeddedError, last_lines, wrap_os_errors
from embedded.ports import free_port
from embedded.processes import Child

StopMode = Literal["fast", "immediate"]

_START_TIMEOUT_SECONDS = 60.0
_RETRY_SECONDS = 15.0
_LOG_LIMIT = 1_000_000
_POLL = 0.01


class PrivateServer(ABC):
    """One private server. As a context manager it starts at the beginning of the block and stops at the end.

    It listens only on the loopback interface and has a password, because the machine may have other users. The port
    and the password are stored in the folder, so that the URL stays the same if the port is still free. Two objects
    must not share a folder; `running` ensures this with a lock.
    """

    name: str
    """The name in messages."""
    plan: watchdog.Plan
    """The signals that the watchdog sends."""
    transient_errors: tuple[str, ...] = ("Address already in use",)
    """Log messages after which another attempt may succeed."""

    def __init__(self, folder: Path) -> None:
        """All files of the server are in *folder*, which is created if it does not exist."""
        self.folder = folder.absolute()
        self.log = self.folder / "log"
        self._child: Child | None = None
        self._port: int | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """The URL of the server, with the password."""

    @property
    def pid(self) -> int:
        """The process id of the server, or of the last one if it is not running."""
        return self._started().pid

    @property
    def port(self) -> int:
        """The TCP port on the loopback interface."""
        if self._port is None:
            raise EmbeddedError(f"{self.name} in {self.folder} has not been started: call start() first.")
        return self._port

    @property
    def password(self) -> str:
        """The password. It is created once, and stored in the folder."""
        return _read(self.folder / "password") or ""

    def start(self) -> None:
        """Start the server, and wait until it accepts connections. A restarted server uses the same port.

        Raises:
            EmbeddedError: it is running already, or cannot be started; the message says what to do.
        """
        if self._child is not None and self._child.alive:
            raise EmbeddedError(f"{self.name} in {self.folder} is already running (process {self.pid}).")
        if self._child is not None:
            self._child.terminate()  # it has ended by itself, and its watchdog has to be ended
        with wrap_os_errors(self.folder):
            self._prepare()
            self._end_predecessor()
            self._truncate_log()
            self._start_with_retries()

    def find(self) -> bool:
        """Read the port of a server that another process runs in the folder; returns whether one is running."""
        pid, _, who = (_read(self.folder / "process") or "").partition(" ")
        self._port = self._last_port()
        return self._port is not None and pid.isdigit() and watchdog.identity(int(pid)) == who

    def stop(self, mode: StopMode = "fast") -> None:
        """Stop the server: *fast* is an orderly shutdown, *immediate* is like a crash.

        A frozen server is thawed first. If the server is not running, nothing happens.

        Raises:
            EmbeddedError: the process does not end.
        """
        if self._child is not None:
            self._child.terminate(self.plan_for(mode))
            (self.folder / "process").unlink(missing_ok=True)

    def kill(self) -> None:
        """Kill the server with all its processes by SIGKILL, like a loss of power."""
        self._started().terminate([(signal.SIGKILL, 5.0)])

    def freeze(self) -> None:
        """Suspend the server: connections stay open, but nothing answers until `thaw`."""
        child = self._started()
        child.send(signal.SIGSTOP)  # first, so that it starts no more children
        child.send(signal.SIGSTOP, family=True)

    def thaw(self) -> None:
        """Resume a frozen server."""
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
        """The signals for *mode*."""

    @abstractmethod
    def _prepare(self) -> None:
        """Prepare the folder."""

    @abstractmethod
    def _launch(self, port: int) -> Child:
        """Start the process, without waiting."""

    @abstractmethod
    def _is_ready(self, child: Child, log: str) -> bool:
        """Whether it accepts connections; *log* is its log since the start."""

    def _started(self) -> Child:
        if self._child is None:
            raise EmbeddedError(f"{self.name} in {self.folder} has not been started: call start() first.")
        return self._child

    def _start_with_retries(self) -> None:
        deadline = time.monotonic() + _RETRY_SECONDS
        while not self._try_once():
            if time.monotonic() > deadline:
                raise EmbeddedError(self._failure("did not start"))
            time.sleep(0.2)

    def _try_once(self) -> bool:
        """One attempt to start; False if it failed for a temporary reason."""
        restarted = self._child is not None
        # Clients that wait for a restarted server know only its old port, so it must not change.
        port = self.port if restarted else free_port(self._last_port())
        since = self.log.stat().st_size if self.log.exists() else 0
        child = self._launch(port)
        try:
            self._record_process(child, port)
            if self._wait_until_ready(child, since):
                self._child, self._port = child, port
                return True
        except BaseException:
            child.terminate()
            raise
        child.terminate()
        self._raise_unless_transient(since)
        return False

    def _wait_until_ready(self, child: Child, since: int) -> bool:
        """Whether the server is ready; False if its process has ended."""
        deadline = time.monotonic() + _START_TIMEOUT_SECONDS
        while child.alive:
            if self._is_ready(child, self._logged(since)):
                return True
            if time.monotonic() > deadline:
                raise EmbeddedError(self._failure(f"was not ready after {_START_TIMEOUT_SECONDS:.0f} seconds", since))
            time.sleep(_POLL)
        return False

    def _raise_unless_transient(self, since: int) -> None:
        if not any(message in self._logged(since) for message in self.transient_errors):
            raise EmbeddedError(self._failure("did not start", since))

    def _failure(self, what: str, since: int = 0) -> str:
        return f"{self.name} {what}. The end of {self.log}: {last_lines(self.log, since)}"

    def _logged(self, since: int) -> str:
        if not self.log.exists():
            return ""
        with self.log.open("rb") as file:
            file.seek(since)
            return file.read().decode(errors="replace")

    def _truncate_log(self) -> None:
        if self.log.exists() and self.log.stat().st_size > _LOG_LIMIT:
            self.log.unlink()

    def _record_process(self, child: Child, port: int) -> None:
        """Store the port for the next run, and the process, in case that it outlives this process and the watchdog."""
        _write(self.folder / "port", str(port))
        _write(self.folder / "process", f"{child.pid} {child.identity}")

    def _last_port(self) -> int | None:
        text = _read(self.folder / "port")
        return int(text) if text and text.isdigit() else None

    def _end_predecessor(self) -> None:
        """End the server of an earlier run that was killed. Its watchdog may do the same, which is harmless."""
        pid, _, who = (_read(self.folder / "process") or "").partition(" ")
        if pid.isdigit() and not watchdog.terminate(int(pid), who, self.plan):
            raise EmbeddedError(f"{self.name} of an earlier run (process {pid}) does not end: kill it manually.")


def keep_password(folder: Path) -> None:
    """Create a password in *folder* unless there is one."""
    if not _read(folder / "password"):
        _write(folder / "password", secrets.token_hex(20))


def make_private(folder: Path) -> None:
    """Create *folder*, readable only by its owner, if it does not exist."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)


def _read(path: Path) -> str | None:
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        return None


def _write(path: Path, text: str) -> None:
    """Replace a private file atomically: a reader finds the old text or the new one, also after a crash."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.touch(mode=0o600)
    fresh.write_text(text + "\n")
    fresh.replace(path)
