"""Stops a server when the process that started it has ended, for any reason.

It runs as a script, `python -I -S watchdog.py PARENT SIGNAL:SECONDS …`, with the read end of a pipe as its standard
input. The parent has the write end, and so has the starting server for a moment; the server writes its process id as
the first line. End of file without a line `released` means that the parent has died. Then the server gets the signals
of the plan one after the other, each with its time to take effect.

As a script in isolated mode it starts in a few milliseconds and imports nothing of this project. The other modules of
the package import its functions about processes.
"""

# ruff: noqa: PTH110, PTH123, PTH208
# The import of pathlib would take longer than the whole script.

import os
import select
import signal
import sys
import time
from collections.abc import Iterator, Sequence

Plan = Sequence[tuple[int, float]]
"""Signals to send one after the other, each with the seconds to wait for its effect."""

_POLL = 0.02
_GRACE_SECONDS = 1.0
_HAS_PROC = os.path.exists("/proc/self/stat")


def identity(pid: int) -> str | None:
    """A text that distinguishes process *pid* from a later process with the same id; None if it has ended.

    A zombie process counts as ended.
    """
    if not _HAS_PROC:
        return _identity_by_ps(pid)
    fields = _stat(pid)
    if fields is None or fields[0] in ("Z", "X"):
        return None
    return f"{_boot()}/{fields[19]}"


def family(pid: int) -> list[int]:
    """*pid* and its children, in this order. PostgreSQL has one generation of children, each with its own session."""
    return [pid, *(child for child, parent in _all_processes() if parent == pid)]


def send(number: int, pids: Sequence[int]) -> None:
    """Send a signal to each process that exists."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError):
            continue


def terminate(pid: int, expected: str | None, plan: Plan) -> bool:
    """Send the signals of *plan* until process *pid* has ended; returns whether it has.

    Signals are sent only while the identity of the process is *expected*.
    """
    for number, seconds in plan:
        if expected is None or identity(pid) != expected:
            return True
        everyone = family(pid)
        send(number, everyone if number == signal.SIGKILL else [pid])
        # A stopped process reacts only to SIGKILL until it gets SIGCONT.
        send(signal.SIGCONT, everyone)
        if _gone(pid, expected, seconds):
            return True
    return identity(pid) != expected


def _gone(pid: int, expected: str, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while identity(pid) == expected:
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL)
    return True


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat from the third (the state) on, or None if there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            text = file.read()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
    # The second field is a name in parentheses and may itself contain spaces and parentheses.
    return text[text.rindex(")") + 2 :].split()


def _boot() -> str:
    """The id of the current boot: start times count from the boot, and stored identities outlive it."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


def _all_processes() -> Iterator[tuple[int, int]]:
    """All visible processes with their parents."""
    if not _HAS_PROC:
        for line in _ps("-A", "-o", "pid=,ppid=").splitlines():
            child, parent = line.split()
            yield int(child), int(parent)
        return
    for name in os.listdir("/proc"):
        fields = _stat(int(name)) if name.isdigit() else None
        if fields is not None:
            yield int(name), int(fields[1])


def _identity_by_ps(pid: int) -> str | None:
    state, _, started = _ps("-p", str(pid), "-o", "stat=,lstart=").strip().partition(" ")
    return started.strip() if state and not state.startswith("Z") else None


def _ps(*arguments: str) -> str:
    import subprocess  # not needed with /proc; the import is half of the script's start time

    return subprocess.run(["ps", *arguments], capture_output=True, text=True, timeout=10, check=False).stdout


class _PipeState:
    """The data received from the pipe."""

    def __init__(self) -> None:
        self.pid: int | None = None
        self.identity: str | None = None
        self.released = False
        self._text = b""

    def feed(self, chunk: bytes) -> None:
        """Process received data. The identity is read now, while the process is certainly running."""
        self._text += chunk
        *lines, self._text = self._text.split(b"\n")
        for line in lines:
            if line == b"released":
                self.released = True
            else:
                self.pid = int(line)
                self.identity = identity(self.pid)


def _watch_parent(parent: int) -> _PipeState:
    """Read until the pipe ends, or until shortly after the parent has ended.

    A forked child of the parent may keep the pipe open, hence the second condition.
    """
    watch = _PipeState()
    alone_since: float | None = None
    while alone_since is None or time.monotonic() < alone_since + _GRACE_SECONDS:
        if select.select([0], [], [], 0.5)[0]:
            chunk = os.read(0, 4096)
            if not chunk:
                break
            watch.feed(chunk)
        if alone_since is None and os.getppid() != parent:
            alone_since = time.monotonic()
    return watch


def main(arguments: Sequence[str]) -> None:
    """Watch the parent, and stop the server if the parent dies without stopping it."""
    parent, *steps = arguments
    plan = [(int(number), float(seconds)) for number, _, seconds in (step.partition(":") for step in steps)]
    watch = _watch_parent(int(parent))
    if watch.pid is not None and not watch.released:
        terminate(watch.pid, watch.identity, plan)


if __name__ == "__main__":
    main(sys.argv[1:])
