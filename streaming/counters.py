"""Counters of the stream for the metrics, and counters of events that this version cannot read."""

import logging
from dataclasses import dataclass, field
from time import time
from typing import Final

from domain.events import RecordedEvent, TaskEvent
from domain.unknown_events import SkippedEvent, UnknownAccess
from observability.histogram import Histogram

MAX_DELAY_SECONDS: Final = 3600.0
"""Older events are not late deliveries: they were recorded with a time in the past, for example by an import."""

MAX_LOGGED: Final = 20
"""Distinct messages that a process logs. The metrics count all events."""

_log: Final = logging.getLogger("taskriver.stream")


@dataclass(slots=True)
class Counters:
    """Counters that only grow."""

    numbered: int = 0
    """Events to which this process assigned positions."""
    dispatched: int = 0
    """Events that this process dispatched, with or without subscribers."""
    not_decoded: int = 0
    """Of these, events that were not decoded, because they concerned no subscriber."""
    delivered: int = 0
    """Items that subscribers received."""
    replays: int = 0
    """Pages of past events that were read for subscribers."""
    resyncs: int = 0
    """Resyncs that subscribers received."""
    notifications: int = 0
    """Notifications that arrived through Redis."""
    gaps: int = 0
    """Batches that did not continue at the current position and caused a read of the log."""
    skipped: int = 0
    """Decoded events that this version cannot read."""
    read_in_part: int = 0
    """Decoded changes of tasks of which this version can read only a part."""
    unknown_access: int = 0
    """Changes of rights that this version cannot read: the rights were read again."""
    delivery_seconds: Histogram = field(default_factory=Histogram)
    """Time from the start of a change of a task, or of an object that belongs to it, until it was dispatched here.

    Events that are not decoded do not count.
    """
    write_seconds: Histogram = field(default_factory=Histogram)
    """Time from the commit of a change until its item was written to the connection of a subscriber."""
    revocation_seconds: Histogram = field(default_factory=Histogram)
    """Time from the start of a change of rights until it was applied here."""

    def record_delivery(self, event: RecordedEvent) -> None:
        """Record that a change is dispatched now."""
        _record(self.delivery_seconds, event)

    def record_written(self, seconds: float, count: int) -> None:
        """Record that an item was written to *count* connections so long after its commit."""
        if seconds < MAX_DELAY_SECONDS:
            self.write_seconds.add(seconds, count)

    def record_revocation(self, event: RecordedEvent) -> None:
        """Record that a change of rights is applied now."""
        _record(self.revocation_seconds, event)


def _record(histogram: Histogram, event: RecordedEvent) -> None:
    age = time() - event.at.timestamp()
    if age < MAX_DELAY_SECONDS:
        histogram.add(age)


class UnknownEventCounter:
    """Counts events that this version cannot read, or only in part: each event once, when it is dispatched.

    Events that concern no subscriber of the process are not decoded, and not counted.
    """

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._logged: set[str] = set()

    def count_skipped(self, event: SkippedEvent) -> None:
        """Count an event that is skipped."""
        self._counters.skipped += 1
        self._warn(f"skipped an event of the kind {event.kind!r} that this version cannot read")

    def count_partial(self, event: TaskEvent) -> None:
        """Count a change of a task if only a part of it is known."""
        if event.is_partial:
            self._counters.read_in_part += 1
            self._warn("read only a part of a task's change, because a newer version wrote it")

    def count_unknown_access(self, event: UnknownAccess) -> None:
        """Count an unknown change of rights."""
        self._counters.unknown_access += 1
        whose = "the rights of a user" if event.user_id is not None else "the rights of users"
        self._warn(f"{whose} changed in a way that this version does not know: reading them again")

    def _warn(self, message: str) -> None:
        if message not in self._logged and len(self._logged) < MAX_LOGGED:
            self._logged.add(message)
            _log.warning("%s", message)
