"""Counters of the stream, read by the metrics; also of events that this version cannot read."""

import logging
from dataclasses import dataclass, field
from time import time
from typing import Final

from domain.events import RecordedEvent, TaskEvent
from domain.unknown_events import SkippedEvent, UnknownAccess
from observability.histogram import Histogram

LATE_AT_MOST: Final = 3600.0
"""Seconds; what is older was no late delivery, but a deed of the past that somebody recorded."""

MAX_LOGGED: Final = 20
"""Different messages in the life of a process; the metrics count all events."""

_log: Final = logging.getLogger("taskriver.stream")


@dataclass(slots=True)
class Counters:
    """Each only grows."""

    numbered: int = 0
    """Events that this process has given their positions."""
    told: int = 0
    """Events that went by here, whether anybody listened or not."""
    delivered: int = 0
    """Items handed to subscribers."""
    replays: int = 0
    """Pages read for subscribers who came with a cursor or were too slow."""
    resyncs: int = 0
    """Subscribers who had to be told to read everything again."""
    chimes: int = 0
    """Messages that came by the bell."""
    gaps: int = 0
    """Batches that did not continue where the tail stood, and sent it to the table."""
    skipped: int = 0
    """Events that this version could not read, and skipped."""
    read_in_part: int = 0
    """Changes of tasks of which this version knew only a part."""
    unknown_access: int = 0
    """Changes of rights that this version could not read: rights were read again."""
    telling: Histogram = field(default_factory=Histogram)
    """From the beginning of a change of a task until it was told here."""
    revoking: Histogram = field(default_factory=Histogram)
    """From the beginning of a change of rights until it was applied here."""

    def note_telling(self, event: RecordedEvent) -> None:
        """A change is told here now."""
        _note(self.telling, event)

    def note_revoking(self, event: RecordedEvent) -> None:
        """A change of rights is applied here now."""
        _note(self.revoking, event)


def _note(durations: Histogram, event: RecordedEvent) -> None:
    age = time() - event.at.timestamp()
    if age < LATE_AT_MOST:
        durations.add(age)


class UnknownEventCounter:
    """What a process has met of them; each event is noted once, when it goes by."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._logged: set[str] = set()

    def note_skipped(self, event: SkippedEvent) -> None:
        """An event could not be read, and nobody is told of it."""
        self._counters.skipped += 1
        self._warn(f"skipped an event of the kind {event.kind!r} that this version cannot read")

    def note_task(self, event: TaskEvent) -> None:
        """A change of a task goes by; it may be known in part only."""
        if event.is_partial:
            self._counters.read_in_part += 1
            self._warn("read only a part of a change of a task: a newer version made it")

    def note_access(self, event: UnknownAccess) -> None:
        """Rights changed in a way that is not known."""
        self._counters.unknown_access += 1
        whose = "a user's" if event.user_id is not None else "somebody's"
        self._warn(f"{whose} rights changed in a way that this version does not know: they are read again")

    def _warn(self, message: str) -> None:
        if message not in self._logged and len(self._logged) < MAX_LOGGED:
            self._logged.add(message)
            _log.warning("%s", message)
