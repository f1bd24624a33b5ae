"""Measures the time from the commit of a change until its frame is written to a subscriber's connection."""

import asyncio
import time
from array import array
from typing import Final

from domain.events import DeliveredEvent
from streaming.counters import Counters

MAX_COMMITS: Final = 4_096
"""Positions whose commit times are kept: more than the events that can wait for a subscriber that keeps up."""


class CommitTimes:
    """When the latest events were committed, by position, in seconds since 1970."""

    def __init__(self) -> None:
        self._positions = array("q", bytes(8 * MAX_COMMITS))
        self._times = array("d", bytes(8 * MAX_COMMITS))

    def add(self, first: int, last: int, committed_at: float | None) -> None:
        """Record the positions of a batch. Without a time nothing is recorded."""
        if committed_at is not None:
            for position in range(max(first, last - MAX_COMMITS + 1), last + 1):
                index = position % MAX_COMMITS
                self._positions[index], self._times[index] = position, committed_at

    def get(self, position: int) -> float | None:
        """The time of a position, if it is known."""
        index = position % MAX_COMMITS
        return self._times[index] if self._positions[index] == position else None

    def clear(self) -> None:
        """Remove all times, because the positions belong to another epoch."""
        self._positions = array("q", bytes(8 * MAX_COMMITS))


class WriteTimes:
    """Collects the items that were passed to connections, and counts them when the connections have written them.

    A connection writes in the next iteration of the event loop. So the time is taken in that iteration, once for all
    items.
    """

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._passed: dict[int, list[float]] = {}
        """By position: since when the item waits, and the number of its subscribers."""
        self.commits: Final = CommitTimes()

    def note_passed(self, position: int, event: DeliveredEvent) -> None:
        """An item was passed to a connection. If its commit time is not known, it counts from the start of the change.

        Call `record_soon` after the last one.
        """
        found = self._passed.get(position)
        if found is not None:
            found[1] += 1
        else:
            self._passed[position] = [self.commits.get(position) or event.at.timestamp(), 1]

    def record_soon(self) -> None:
        """Count the items after the next writes."""
        if self._passed:
            asyncio.get_running_loop().call_soon(self._record)

    def _record(self) -> None:
        now, passed, self._passed = time.time(), self._passed, {}
        for since, count in passed.values():
            self._counters.record_written(now - since, int(count))
