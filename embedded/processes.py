"""A program with a watchdog: it ends when this process ends, however that happens."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from embedded import watchdog
from embedded.accounts import Account
from embedded.errors import EmbeddedError

# The shell tells the watchdog its process id and then becomes the program. So there is no moment, however
# short, in which the program runs and nobody would stop it.
_TELL_THEN_BECOME = 'echo "$$"; exec "$@" >&2'

# Nothing of the caller's PGPORT, PGDATA, LC_ALL or the like may leak into a private server.
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


_WATCHDOG = str(Path(watchdog.__file__).absolute())


def run(
    command: Sequence[str], account: Account, *, seconds: float, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a short program to its end and return what it printed; for more than that there is `Child`.

    Raises:
        OSError: if it cannot be started.
        subprocess.TimeoutExpired: if it was not done after *seconds*; it is killed then.
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
    """A running program, in a session of its own so that Ctrl-C in the terminal reaches only its parent."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        log: Path,
        plan: watchdog.Plan,
        account: Account,
        told: str | None = None,
        open_files: Sequence[int] = (),
    ) -> None:
        """Start *command*; both its outputs are appended to *log*.

        *told* is written to its standard input; *open_files* are descriptors it inherits; *plan* is what the
        watchdog does to it when this process dies.

        Raises:
            EmbeddedError: if it cannot be started at all.
        """
        self._plan = plan
        ear, self._leash = os.pipe()
        try:
            self._watchdog = _start_watchdog(ear, plan)
        finally:
            os.close(ear)
        try:
            self._process = _spawn(command, self._leash, log, account, open_files)
        except BaseException:
            self._let_go()
            raise
        self.pid = self._process.pid
        self.who = watchdog.identity(self.pid)
        self._tell(told or "")

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    @property
    def exit_status(self) -> int | None:
        """Its exit status, negative for a signal; None while it runs."""
        return self._process.poll()

    def wait(self, seconds: float) -> bool:
        """Wait until it ends by itself; False if it has not within *seconds*."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return not self.alive

    def send(self, number: int, *, family: bool = False) -> None:
        """Send it a signal, or it and its children."""
        if self.alive:
            watchdog.send(number, watchdog.family(self.pid) if family else [self.pid])

    def put_down(self, plan: watchdog.Plan | None = None) -> None:
        """End it by the signals of *plan* (by default the watchdog's) and collect it. Ended already is fine.

        Raises:
            EmbeddedError: if it survived them all, which only a process stuck in the kernel does.
        """
        if self.alive:
            watchdog.put_down(self.pid, self.who, plan or self._plan)
        if not self.wait(2):
            raise EmbeddedError(f"Process {self.pid} does not end: end it by hand, or restart the machine.")
        self._let_go()

    def _tell(self, text: str) -> None:
        if self._process.stdin is None:
            return
        with contextlib.suppress(BrokenPipeError), self._process.stdin as pipe:
            pipe.write(text.encode())

    def _let_go(self) -> None:
        """Send the watchdog home."""
        if self._leash < 0:
            return
        with contextlib.suppress(BrokenPipeError):
            os.write(self._leash, b"released\n")
        os.close(self._leash)
        self._leash = -1
        try:
            self._watchdog.wait(3)
        except subprocess.TimeoutExpired:
            self._watchdog.kill()
            self._watchdog.wait()


@contextlib.contextmanager
def _told_about(program: str) -> Iterator[None]:
    try:
        yield
    except OSError as refusal:
        raise EmbeddedError(f"{program} cannot be started ({refusal}): see what the machine is short of.") from refusal


def _start_watchdog(ear: int, plan: watchdog.Plan) -> subprocess.Popen[bytes]:
    steps = [f"{int(number)}:{patience}" for number, patience in plan]
    with _told_about(sys.executable):
        return subprocess.Popen(
            [sys.executable, "-I", "-S", _WATCHDOG, str(os.getpid()), *steps],
            stdin=ear,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
        )


def _spawn(
    command: Sequence[str], leash: int, log: Path, account: Account, open_files: Sequence[int]
) -> subprocess.Popen[bytes]:
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        with _told_about(command[0]):
            return subprocess.Popen(
                ["/bin/sh", "-c", _TELL_THEN_BECOME, "sh", *command],
                stdin=subprocess.PIPE,
                stdout=leash,
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
