"""The items that a subscriber receives."""

from dataclasses import dataclass
from enum import StrEnum

from domain.events import DeliveredEvent, TaskScopedEvent
from streaming.visibility import Visibility


class ResyncReason(StrEnum):
    """Why a cursor cannot be continued. Clients see these names."""

    TRIMMED = "TRIMMED"
    """The events after the cursor are older than the retention time."""
    FUTURE = "FUTURE"
    """The cursor is beyond the end of the log."""
    EPOCH = "EPOCH"
    """The cursor belongs to another epoch of the log."""
    ACCESS = "ACCESS"
    """The user's rights have changed since the cursor was issued: older tasks may have become visible or hidden."""


@dataclass(slots=True)
class Delivered:
    """An event that the subscriber receives. *cursor* continues after it, at *position* in the log."""

    cursor: str
    position: int
    event: DeliveredEvent
    visibility: Visibility

    @property
    def task_event(self) -> TaskScopedEvent:
        """The event, which is about a task."""
        assert isinstance(self.event, TaskScopedEvent)
        return self.event


@dataclass(frozen=True, slots=True)
class Resync:
    """Earlier events cannot be delivered: read all data again, then continue from *cursor*."""

    cursor: str
    reason: ResyncReason


Item = Delivered | Resync
