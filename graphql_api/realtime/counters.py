"""What the stream has done since the process began, as plain numbers for whoever wants to show them."""

from dataclasses import dataclass, field
from time import time
from typing import Final

from domain.events import RecordedEvent
from graphql_api.tallies import Durations

LATE_AT_MOST: Final = 3600.0
"""Seconds; what is older was no late delivery, but a deed of the past that somebody recorded."""


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
    telling: Durations = field(default_factory=Durations)
    """From the beginning of a change of a task until it was told here."""
    revoking: Durations = field(default_factory=Durations)
    """From the beginning of a change of rights until it was applied here."""

    def note_telling(self, event: RecordedEvent) -> None:
        """A change is told here now."""
        _note(self.telling, event)

    def note_revoking(self, event: RecordedEvent) -> None:
        """A change of rights is applied here now."""
        _note(self.revoking, event)


def _note(durations: Durations, event: RecordedEvent) -> None:
    age = time() - event.at.timestamp()
    if age < LATE_AT_MOST:
        durations.add(age)
