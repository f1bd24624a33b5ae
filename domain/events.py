"""What has happened: past tense, to and from JSON, and never changed once it is made.

A `TaskEvent` is one transaction on one task, that is one version of it. An `AccessEvent` is a change of what somebody
may do; it travels the same road, so that a revocation is never overtaken by what it forbids.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Self
from uuid import UUID

from domain.task import TaskStatus
from domain.unknown_events import SkippedEvent, UnknownAccess


class TaskChange(StrEnum):
    """What a transaction did to a task."""

    CREATED = "CREATED"
    TITLE = "TITLE"
    DESCRIPTION = "DESCRIPTION"
    STATUS = "STATUS"
    PRIORITY = "PRIORITY"
    DUE_AT = "DUE_AT"
    ASSIGNEE = "ASSIGNEE"
    DELETED = "DELETED"


# Calling an enum is two functions in Python.
_CHANGES: Final = {change.value: change for change in TaskChange}
_STATUSES: Final = {status.value: status for status in TaskStatus}


class AccessChange(StrEnum):
    """What happened to somebody's rights."""

    SESSION_REVOKED = "SESSION_REVOKED"
    SESSIONS_REVOKED = "SESSIONS_REVOKED"
    PASSWORD_CHANGED = "PASSWORD_CHANGED"  # noqa: S105 - the word, not a secret
    ROLE_CHANGED = "ROLE_CHANGED"
    DISABLED = "DISABLED"
    ENABLED = "ENABLED"


@dataclass(slots=True)
class People:
    """Whose task it is; this decides who may see it."""

    owner_id: UUID
    assignee_id: UUID | None

    def to_json(self) -> dict[str, Any]:
        """`{"owner": uuid, "assignee": uuid | null}`."""
        return {"owner": str(self.owner_id), "assignee": str(self.assignee_id) if self.assignee_id else None}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(UUID(value["owner"]), UUID(value["assignee"]) if value["assignee"] else None)


@dataclass(slots=True)  # not frozen: of what is made a thousand times a second, that is most of the cost
class TaskEvent:
    """One transaction on one task.

    `before` and `after` are None where the task did not exist (created) or no longer does (deleted).
    `from_status` and `to_status` are equal unless `changes` holds STATUS; `from_status` is None for a creation.
    `is_partial`: a newer version wrote it, and this one does not know all of its changes, or a status; then a status
    that is not known is None.
    """

    task_id: UUID
    version: int
    changes: tuple[TaskChange, ...]
    from_status: TaskStatus | None
    to_status: TaskStatus | None
    title: str
    before: People | None
    after: People | None
    actor_id: UUID
    at: datetime
    request_id: str | None
    is_partial: bool = field(default=False, compare=False)

    @property
    def people(self) -> set[UUID]:
        """Who owned the task or was assigned to it, before or after."""
        sides = [side for side in (self.before, self.after) if side is not None]
        return {side.owner_id for side in sides} | {side.assignee_id for side in sides if side.assignee_id is not None}

    @property
    def changed_status(self) -> bool:
        """Whether the task moved to another column."""
        return TaskChange.STATUS in self.changes

    @property
    def deleted(self) -> bool:
        """Whether the task is gone for everybody."""
        return self.after is None

    def to_json(self) -> dict[str, Any]:
        """Plain values only, fit for `json`."""
        return {
            "task": str(self.task_id),
            "version": self.version,
            "changes": [change.value for change in self.changes],
            "from": self.from_status.value if self.from_status else None,
            "to": self.to_status.value if self.to_status else None,
            "title": self.title,
            "before": self.before.to_json() if self.before else None,
            "after": self.after.to_json() if self.after else None,
            "by": str(self.actor_id),
            "at": self.at.isoformat(),
            "request": self.request_id,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """The inverse of `to_json`; `event_reading` also reads events of newer versions."""
        before, after = value["before"], value["after"]
        were = People.from_json(before) if before is not None else None
        return cls(
            task_id=UUID(value["task"]),
            version=value["version"],
            changes=tuple([_CHANGES[change] for change in value["changes"]]),
            from_status=_STATUSES[value["from"]] if value["from"] else None,
            to_status=_STATUSES[value["to"]],
            title=value["title"],
            before=were,
            # Most events leave a task with its people; that they are the same is seen at a glance then.
            after=were if after == before else People.from_json(after) if after is not None else None,
            actor_id=UUID(value["by"]),
            at=datetime.fromisoformat(value["at"]),
            request_id=value["request"],
        )


@dataclass(frozen=True, slots=True)
class AccessEvent:
    """Somebody's rights changed.

    With a `session_id` it concerns that session; without one all sessions of the user but `spared_session_id`.
    """

    user_id: UUID
    change: AccessChange
    session_id: UUID | None
    spared_session_id: UUID | None
    actor_id: UUID
    at: datetime
    request_id: str | None

    def to_json(self) -> dict[str, Any]:
        """Plain values only, fit for `json`."""
        return {
            "user": str(self.user_id),
            "change": self.change.value,
            "session": str(self.session_id) if self.session_id else None,
            "spared": str(self.spared_session_id) if self.spared_session_id else None,
            "by": str(self.actor_id),
            "at": self.at.isoformat(),
            "request": self.request_id,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(
            user_id=UUID(value["user"]),
            change=AccessChange(value["change"]),
            session_id=UUID(value["session"]) if value["session"] else None,
            spared_session_id=UUID(value["spared"]) if value["spared"] else None,
            actor_id=UUID(value["by"]),
            at=datetime.fromisoformat(value["at"]),
            request_id=value["request"],
        )


RecordedEvent = TaskEvent | AccessEvent
"""What this version writes."""
AccessNews = AccessEvent | UnknownAccess
"""What makes a process look at somebody's rights again."""
Event = TaskEvent | AccessEvent | UnknownAccess | SkippedEvent
"""What the log may hold."""


class EventKind(StrEnum):
    """Which of the two an event is, where it is stored or sent."""

    TASK = "TASK"
    ACCESS = "ACCESS"


def kind_of(event: RecordedEvent) -> EventKind:
    """The kind to store beside the event's JSON."""
    return EventKind.TASK if isinstance(event, TaskEvent) else EventKind.ACCESS


@dataclass(slots=True)
class LoggedEvent:
    """An event that has its place in the one order of the log: dense, from 1."""

    position: int
    event: Event
