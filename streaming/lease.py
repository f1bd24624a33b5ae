"""How long a process may trust what it knows of everybody's rights."""

import time
from collections.abc import Callable
from typing import Final

LEASE_SECONDS: Final = 1.0

# It goes on while the process is stopped or starved, which is what the lease is about, and nobody can set it back.
# On Linux it also counts the time for which the machine was asleep; CLOCK_MONOTONIC, which other systems have
# instead, does not.
_CLOCK: Final[int | None] = getattr(time, "CLOCK_BOOTTIME", None)

Clock = Callable[[], float]
"""Seconds since some moment."""


def seconds() -> float:
    """Seconds since the machine was started."""
    return time.clock_gettime(_CLOCK) if _CLOCK is not None else time.monotonic()


class Lease:
    """Fresh as long as the log was known, less than a second ago, to hold no change of rights that is not applied.

    A process that was frozen, is cut off from the database, or cannot keep up loses it by doing nothing, and gets
    it back by reading. While it is stale, cached rights are not believed and nothing is delivered.
    """

    def __init__(self, clock: Clock = seconds, *, length: float = LEASE_SECONDS) -> None:
        self._clock = clock
        self._length = length
        self.since = float("-inf")

    @property
    def fresh(self) -> bool:
        """Whether what this process knows may be trusted at this moment."""
        return self.covers(self.since)

    @property
    def now(self) -> float:
        """The moment it is, to ask about later."""
        return self._clock()

    def covers(self, instant: float) -> bool:
        """Whether what was true at an instant may still be believed: it is less than a lease ago."""
        return self._clock() - instant < self._length

    def believes(self, instant: float) -> bool:
        """Whether it is fresh, and covers an instant."""
        return self._clock() - min(instant, self.since) < self._length

    def renew(self, since: float) -> None:
        """Everything that was committed before *since* has been applied: the instant *before* the log was asked."""
        self.since = max(self.since, since)
