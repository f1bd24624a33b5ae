"""What a subscriber is handed."""

from dataclasses import dataclass
from enum import StrEnum

from domain.events import TaskEvent
from streaming.visibility import Visibility


class ResyncReason(StrEnum):
    """Why a cursor cannot be continued; clients see these names."""

    TRIMMED = "TRIMMED"
    """The events behind it are older than events are kept."""
    FUTURE = "FUTURE"
    """It lies ahead of the log."""
    EPOCH = "EPOCH"
    """The history that it counts in was replaced."""
    ACCESS = "ACCESS"
    """The rights under which it was taken have changed: older tasks may have become visible, or have vanished."""


@dataclass(slots=True)
class Delivered:
    """Something that happened to a task. *cursor* continues behind it; *position* is its place in the log."""

    cursor: str
    position: int
    event: TaskEvent
    sight: Visibility


@dataclass(frozen=True, slots=True)
class Resync:
    """What came before is lost to this subscriber: read everything again, then go on from *cursor*."""

    cursor: str
    reason: ResyncReason


Item = Delivered | Resync
