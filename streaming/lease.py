"""How long a process may trust what it knows about the permissions of users."""

import time
from collections.abc import Callable
from typing import Final

LEASE_SECONDS: Final = 1.0

# This clock keeps running while the process is stopped, and it cannot be set back. On Linux it also counts the time for
# which the machine is suspended. CLOCK_MONOTONIC, the fallback on other systems, does not.
_CLOCK: Final[int | None] = getattr(time, "CLOCK_BOOTTIME", None)

Clock = Callable[[], float]
"""Returns seconds since a fixed but arbitrary moment."""


def seconds() -> float:
    """Seconds since the machine started."""
    return time.clock_gettime(_CLOCK) if _CLOCK is not None else time.monotonic()


class Lease:
    """Fresh while this process has applied every change of rights that was committed up to a second ago.

    A process that is frozen, cut off from the database or overloaded stops renewing the lease, and it expires. Reading
    the log renews it. While it is stale, cached rights are not trusted and no events are delivered.
    """

    def __init__(self, clock: Clock = seconds, *, length: float = LEASE_SECONDS) -> None:
        self._clock = clock
        self._length = length
        self.since = float("-inf")

    @property
    def fresh(self) -> bool:
        """Whether cached rights may be trusted now."""
        return self.covers(self.since)

    @property
    def now(self) -> float:
        """The current time of the clock."""
        return self._clock()

    def covers(self, instant: float) -> bool:
        """Whether what was true at *instant* may still be trusted: it is less than one lease ago."""
        return self._clock() - instant < self._length

    def trusts(self, instant: float) -> bool:
        """Whether the lease is fresh and covers *instant*."""
        return self._clock() - min(instant, self.since) < self._length

    def renew(self, since: float) -> None:
        """Record that everything committed before *since* is applied. *since* is the time before the log was read."""
        self.since = max(self.since, since)
