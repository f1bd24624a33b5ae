"""Whether this process has file descriptors left, without which it closes every new connection."""

import asyncio
import errno
import logging
import os
from collections.abc import Callable
from resource import RLIMIT_NOFILE, getrlimit
from typing import Final

SECONDS: Final = 1.0
"""Between two looks."""
QUIET_SECONDS: Final = 60.0
"""Between two warnings, however often it happens in between."""

_NONE_LEFT: Final = frozenset({errno.EMFILE, errno.ENFILE})

_log: Final = logging.getLogger("taskriver.files")


class FileDescriptors:
    """Looks every second whether another file could be opened.

    The event loop tells nobody: libuv, below uvloop, accepts a connection that it has no descriptor for by one that
    it keeps for this, and closes it. The next connection is served as soon as a descriptor is free again.
    """

    def __init__(self, *, probe: Callable[[], bool] | None = None) -> None:
        """*probe* says whether a descriptor is left."""
        self._probe = probe or _is_one_left
        self._timer: asyncio.TimerHandle | None = None
        self._warned_at: float | None = None
        self.exhausted = False
        """Whether none was left at the last look."""
        self.exhausted_seconds = 0.0

    def start(self) -> None:
        """Begin to look."""
        self._timer = asyncio.get_running_loop().call_later(SECONDS, self._look_again)

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()

    def look(self, now: float) -> None:
        """Look now, at this time of a clock in seconds, and log what has changed."""
        was_exhausted, self.exhausted = self.exhausted, not self._probe()
        if self.exhausted:
            self.exhausted_seconds += SECONDS
            self._warn(now)
        elif was_exhausted:
            _log.info("file descriptors are free again: new connections are served")

    def _look_again(self) -> None:
        self.start()
        self.look(asyncio.get_running_loop().time())

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
