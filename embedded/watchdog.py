"""Stops one server when the process that started it is gone, however it went.

Run as a script, `python -I -S watchdog.py PARENT SIGNAL:SECONDS …`, with the read end of a pipe as its
standard input. The parent and, for a moment, the starting server hold the write end; the server writes its
process id as the first line. End of file without a line `released` means that the parent has died: the server
then gets the signals of the plan, one after the other, each with its seconds of patience.

Being a script in isolated mode it starts in a few milliseconds and imports nothing of ours. What it knows
about processes the rest of the package imports from here.
"""

# ruff: noqa: PTH110, PTH123, PTH208
# pathlib would take longer to import than all of this.

import os
import select
import signal
import sys
import time
from collections.abc import Iterator, Sequence

Plan = Sequence[tuple[int, float]]
"""Signals to send in turn, each with the seconds to wait for its effect."""

_POLL = 0.02
_LAST_WORDS = 1.0
_HAS_PROC = os.path.exists("/proc/self/stat")


def identity(pid: int) -> str | None:
    """What tells process *pid* from a later one that got the same number, or None if it is gone.

    A process that has ended and only waits to be collected by its parent is gone.
    """
    if not _HAS_PROC:
        return _identity_by_ps(pid)
    fields = _stat(pid)
    if fields is None or fields[0] in ("Z", "X"):
        return None
    return f"{_boot()}/{fields[19]}"


def family(pid: int) -> list[int]:
    """*pid* and its children, in this order. PostgreSQL has one generation, each in a session of its own."""
    return [pid, *(child for child, parent in _everybody() if parent == pid)]


def send(number: int, pids: Sequence[int]) -> None:
    """Send a signal to every process that is still there."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError):
            continue


def put_down(pid: int, who: str | None, plan: Plan) -> bool:
    """Send the signals of *plan* until process *pid* is gone; True if it is.

    Nothing is sent unless the process is still the one whose identity is *who*.
    """
    for number, patience in plan:
        if who is None or identity(pid) != who:
            return True
        everyone = family(pid)
        send(number, everyone if number == signal.SIGKILL else [pid])
        # A frozen process hears nothing but SIGKILL until it is thawed.
        send(signal.SIGCONT, everyone)
        if _gone(pid, who, patience):
            return True
    return identity(pid) != who


def _gone(pid: int, who: str, patience: float) -> bool:
    deadline = time.monotonic() + patience
    while identity(pid) == who:
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
    """Which boot of the machine this is: start times count from there, and records of them outlive it."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


def _everybody() -> Iterator[tuple[int, int]]:
    """Every visible process with its parent."""
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
    import subprocess  # not needed where there is /proc, and half the time this script takes to start

    return subprocess.run(["ps", *arguments], capture_output=True, text=True, timeout=10, check=False).stdout


class _Watch:
    """What has come through the pipe so far."""

    def __init__(self) -> None:
        self.pid: int | None = None
        self.who: str | None = None
        self.released = False
        self._text = b""

    def hear(self, chunk: bytes) -> None:
        """Take in more of what was written; the identity is noted while the process is surely alive."""
        self._text += chunk
        *lines, self._text = self._text.split(b"\n")
        for line in lines:
            if line == b"released":
                self.released = True
            else:
                self.pid = int(line)
                self.who = identity(self.pid)


def _until_the_end(parent: int) -> _Watch:
    """Listen until the pipe ends, or shortly after the parent is gone.

    A forked child of the parent keeps the pipe open without knowing, hence the second condition.
    """
    watch = _Watch()
    alone_since: float | None = None
    while alone_since is None or time.monotonic() < alone_since + _LAST_WORDS:
        if select.select([0], [], [], 0.5)[0]:
            chunk = os.read(0, 4096)
            if not chunk:
                break
            watch.hear(chunk)
        if alone_since is None and os.getppid() != parent:
            alone_since = time.monotonic()
    return watch


def main(arguments: Sequence[str]) -> None:
    """Watch, and stop the server if its starter died without doing it."""
    parent, *steps = arguments
    plan = [(int(number), float(patience)) for number, _, patience in (step.partition(":") for step in steps)]
    watch = _until_the_end(int(parent))
    if watch.pid is not None and not watch.released:
        put_down(watch.pid, watch.who, plan)


if __name__ == "__main__":
    main(sys.argv[1:])
