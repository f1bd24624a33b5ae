"""What was seen from outside: writes that were acknowledged, what listeners heard, and how it all ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.events import LoggedEvent, TaskChange, TaskEvent
from domain.stream_cursor import StreamCursor
from domain.task import TaskStatus
from domain.user import Role


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """A task as somebody was shown it."""

    task_id: UUID
    version: int
    status: TaskStatus
    title: str
    owner_id: UUID
    assignee_id: UUID | None


@dataclass(frozen=True, slots=True)
class Write:
    """A change that was acknowledged: between *begun* and *acked*, in seconds of one monotonic clock.

    The version is None for a deletion, whose answer names none.
    """

    task_id: UUID
    version: int | None
    begun: float
    acked: float


class Kind(StrEnum):
    """What an item said."""

    CHANGED = "TaskChanged"
    MOVED = "TaskStatusChanged"
    GONE = "TaskGone"
    DELETED = "TaskDeleted"
    RESYNC = "ResyncRequired"


@dataclass(slots=True)
class Item:
    """Something that a listener was told.

    `changes`, `from_status` and `to_status` are there if its kind has them. *snapshot* is what the listener read
    after a resync; it may be newer than items that follow.
    """

    cursor: StreamCursor
    kind: Kind
    at: datetime
    received: float
    task_id: UUID | None = None
    task: TaskFacts | None = None
    changes: tuple[TaskChange, ...] | None = None
    from_status: TaskStatus | None = None
    to_status: TaskStatus | None = None
    reason: str | None = None
    snapshot: tuple[TaskFacts, ...] | None = None


@dataclass(slots=True)
class Connection:
    """One subscription on one socket: everything that came, in the order in which it came.

    Either *after* continues what the connection before had seen, or *snapshot* was read anew and *after* is its
    cursor.
    """

    opened: float
    after: StreamCursor
    snapshot: tuple[TaskFacts, ...] | None = None
    session_id: UUID | None = None
    items: list[Item] = field(default_factory=list)


@dataclass(slots=True)
class Listener:
    """Somebody who listens, over as many connections as it takes."""

    name: str
    user_id: UUID
    only_status: bool = False
    connections: list[Connection] = field(default_factory=list)


@dataclass(slots=True)
class History:
    """Everything that the judge looks at.

    *roles* says what each user was, by access version; the last one is what they are at the end. *log* is what the
    server itself remembers, *final* every task that is left. Where only some tasks are known (an operator looks at a
    server that others use, too) the history is not *whole*: nothing else is judged by the log, and *unplaced* are
    events of which nobody was told their positions.
    """

    writes: Sequence[Write]
    log: Sequence[LoggedEvent]
    listeners: Sequence[Listener]
    roles: Mapping[UUID, Mapping[int, Role]]
    final: Sequence[TaskFacts]
    whole: bool = True
    unplaced: Sequence[TaskEvent] = ()
