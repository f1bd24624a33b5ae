"""Runs programs with a watchdog: a program ends when this process ends, even by SIGKILL."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from embedded import watchdog
from embedded.accounts import OSAccount
from embedded.errors import EmbeddedError

# The shell sends its process id to the watchdog and then executes the program. So the watchdog knows the process before
# the program runs.
_REPORT_PID_THEN_EXEC = 'echo "$$"; exec "$@" >&2'

# The caller's PGPORT, PGDATA, LC_ALL and similar variables must not reach a private server.
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


_WATCHDOG = str(Path(watchdog.__file__).absolute())


def run(
    command: Sequence[str], account: OSAccount, *, seconds: float, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a short program and return its output; use `Child` for a long one.

    Raises:
        OSError: it cannot be started.
        subprocess.TimeoutExpired: it did not end within *seconds*, and was killed.
    """
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=seconds,
        check=False,
        cwd="/",
        env={**ENVIRONMENT, **(environment or {})},
        user=account.user,
        group=account.group,
        extra_groups=account.extra_groups,
    )


class Child:
    """A running program. It has its own session, so that Ctrl-C in the terminal reaches only its parent."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        log: Path,
        plan: watchdog.Plan,
        account: OSAccount,
        input_text: str | None = None,
        open_files: Sequence[int] = (),
    ) -> None:
        """Start *command*; both its outputs are appended to *log*.

        *input_text* is written to its standard input. It inherits the descriptors *open_files*. *plan* has the signals
        that the watchdog sends when this process dies.

        Raises:
            EmbeddedError: it cannot be started.
        """
        self._plan = plan
        read_end, self._write_end = os.pipe()
        try:
            self._watchdog = _start_watchdog(read_end, plan)
        finally:
            os.close(read_end)
        try:
            self._process = _spawn(command, self._write_end, log, account, open_files)
        except BaseException:
            self._release_watchdog()
            raise
        self.pid = self._process.pid
        self.identity = watchdog.identity(self.pid)
        self._write_input(input_text or "")

    @property
    def alive(self) -> bool:
        """Whether it is running."""
        return self._process.poll() is None

    @property
    def exit_status(self) -> int | None:
        """Its exit status, negative for a signal; None while it is running."""
        return self._process.poll()

    def wait(self, seconds: float) -> bool:
        """Wait until it ends by itself; False if it did not end within *seconds*."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return not self.alive

    def send(self, number: int, *, family: bool = False) -> None:
        """Send a signal to it, or to it and its children."""
        if self.alive:
            watchdog.send(number, watchdog.family(self.pid) if family else [self.pid])

    def terminate(self, plan: watchdog.Plan | None = None) -> None:
        """End it with the signals of *plan* (by default those of the watchdog), and wait for it.

        Raises:
            EmbeddedError: it did not end. This happens only to a process that is blocked in the kernel.
        """
        if self.alive:
            watchdog.terminate(self.pid, self.identity, plan or self._plan)
        if not self.wait(2):
            raise EmbeddedError(f"Process {self.pid} does not end: kill it manually, or restart the machine.")
        self._release_watchdog()

    def _write_input(self, text: str) -> None:
        if self._process.stdin is None:
            return
        with contextlib.suppress(BrokenPipeError), self._process.stdin as pipe:
            pipe.write(text.encode())

    def _release_watchdog(self) -> None:
        """End the watchdog."""
        if self._write_end < 0:
            return
        with contextlib.suppress(BrokenPipeError):
            os.write(self._write_end, b"released\n")
        os.close(self._write_end)
        self._write_end = -1
        try:
            self._watchdog.wait(3)
        except subprocess.TimeoutExpired:
            self._watchdog.kill()
            self._watchdog.wait()


@contextlib.contextmanager
def _wrap_start_errors(program: str) -> Iterator[None]:
    try:
        yield
    except OSError as refusal:
        raise EmbeddedError(
            f"{program} cannot be started ({refusal}): check memory, process limits and open files of the machine."
        ) from refusal


def _start_watchdog(read_end: int, plan: watchdog.Plan) -> subprocess.Popen[bytes]:
    steps = [f"{int(number)}:{seconds}" for number, seconds in plan]
    with _wrap_start_errors(sys.executable):
        return subprocess.Popen(
            [sys.executable, "-I", "-S", _WATCHDOG, str(os.getpid()), *steps],
            stdin=read_end,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
        )


def _spawn(
    command: Sequence[str], write_end: int, log: Path, account: OSAccount, open_files: Sequence[int]
) -> subprocess.Popen[bytes]:
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        with _wrap_start_errors(command[0]):
            return subprocess.Popen(
                ["/bin/sh", "-c", _REPORT_PID_THEN_EXEC, "sh", *command],
                stdin=subprocess.PIPE,
                stdout=write_end,
                stderr=descriptor,
                start_new_session=True,
                cwd="/",
                env=ENVIRONMENT,
                pass_fds=open_files,
                user=account.user,
                group=account.group,
                extra_groups=account.extra_groups,
            )
    finally:
        os.close(descriptor)
