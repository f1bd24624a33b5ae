"""Checks whether this process has file descriptors left. Without one it closes every new connection."""

import asyncio
import errno
import logging
import os
from collections.abc import Callable
from resource import RLIMIT_NOFILE, getrlimit
from typing import Final

INTERVAL_SECONDS: Final = 1.0
"""The time between two checks."""
QUIET_SECONDS: Final = 60.0
"""The minimum time between two warnings."""

_NONE_LEFT: Final = frozenset({errno.EMFILE, errno.ENFILE})

_log: Final = logging.getLogger("taskriver.files")


class FileDescriptors:
    """Checks every second whether another file can be opened.

    The event loop does not report it: libuv, which uvloop uses, accepts the connection with a reserve descriptor and
    closes it. The next connection is served when a descriptor is free again.
    """

    def __init__(self, *, probe: Callable[[], bool] | None = None) -> None:
        """*probe* returns whether a descriptor is left."""
        self._probe = probe or _is_one_left
        self._timer: asyncio.TimerHandle | None = None
        self._warned_at: float | None = None
        self.exhausted = False
        """Whether none was left at the last check."""
        self.exhausted_seconds = 0.0

    def start(self) -> None:
        """Start the checks."""
        self._timer = asyncio.get_running_loop().call_later(INTERVAL_SECONDS, self._on_timer)

    def stop(self) -> None:
        """Stop the checks."""
        if self._timer is not None:
            self._timer.cancel()

    def check(self, now: float) -> None:
        """Check now, and log a change; *now* is the time of a clock in seconds."""
        was_exhausted, self.exhausted = self.exhausted, not self._probe()
        if self.exhausted:
            self.exhausted_seconds += INTERVAL_SECONDS
            self._warn(now)
        elif was_exhausted:
            _log.info("file descriptors are free again: new connections are served")

    def _on_timer(self) -> None:
        self.start()
        self.check(asyncio.get_running_loop().time())

    def _warn(self, now: float) -> None:
        if self._warned_at is not None and now - self._warned_at < QUIET_SECONDS:
            return
        self._warned_at = now
        _log.warning(
            "no file descriptor is left (limit %s): new connections are closed. Raise the limit of open files "
            "(LimitNOFILE of systemd, ulimits of Docker, ulimit -n), or lower SOCKETS_PER_ADDRESS.",
            getrlimit(RLIMIT_NOFILE)[0],
        )


def _is_one_left() -> bool:
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        return error.errno not in _NONE_LEFT
    return True
