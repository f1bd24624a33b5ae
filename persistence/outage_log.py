"""Rate-limited log lines about failures of the database."""

import logging
import time
from collections import Counter
from collections.abc import Callable
from typing import Final

QUIET_SECONDS: Final = 10.0
"""The minimum time between two lines about the same kind of failure."""

_log: Final = logging.getLogger("taskriver.database.outages")
_log.addHandler(logging.NullHandler())  # commands have no log; they print their own error


class OutageLog:
    """Writes at most one line per kind of failure in `QUIET_SECONDS`, with the number of failures since the last."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._quiet_until: dict[str, float] = {}
        self._left_out: Counter[str] = Counter()

    def note(self, error: BaseException) -> None:
        """Count a failure. The line has its type and SQLSTATE, but not its text, which may quote values."""
        state = getattr(error, "sqlstate", None)
        kind = type(error).__name__ + (f", SQLSTATE {state}" if state else "")
        if self._clock() < self._quiet_until.get(kind, 0.0):
            self._left_out[kind] += 1
            return
        self._quiet_until[kind] = self._clock() + QUIET_SECONDS
        more = self._left_out.pop(kind, 0)
        _log.warning("the database could not answer (%s)%s", kind, f"; {more} more since the last line" if more else "")


_OUTAGES: Final = OutageLog()

note_outage: Final = _OUTAGES.note
