"""A recorded history: acknowledged writes, the items that listeners received, and the final state."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.events import LoggedEvent, MembershipEvent, TaskChange, TaskEvent
from domain.project import ProjectRole
from domain.stream_cursor import StreamCursor
from domain.task import TaskStatus
from domain.user import Role
from verification.memberships import Roles


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """A task as a client received it."""

    task_id: UUID
    version: int
    status: TaskStatus
    title: str
    owner_id: UUID
    assignee_id: UUID | None


@dataclass(frozen=True, slots=True)
class Write:
    """An acknowledged change, made between *begun* and *acked*, in seconds of a monotonic clock.

    The version is None for a deletion that was not based on a version: its response has none.
    """

    task_id: UUID
    version: int | None
    begun: float
    acked: float


@dataclass(frozen=True, slots=True)
class MembershipWrite:
    """An acknowledged change of a user's role in a project; the role is None if the user left.

    *acked* is the time of the acknowledgement, as in `Write`; by default it is not known, and counts as late.
    """

    user_id: UUID
    project_id: UUID
    role: ProjectRole | None
    acked: float = float("inf")


class ItemKind(StrEnum):
    """The kind of an item."""

    CHANGED = "TaskChanged"
    MOVED = "TaskStatusChanged"
    GONE = "TaskGone"
    DELETED = "TaskDeleted"
    RESYNC = "ResyncRequired"


@dataclass(slots=True)
class Item:
    """An item that a listener received.

    `changes`, `from_status` and `to_status` are set if the kind has them. *snapshot* is the list that the listener read
    after a resync; it may be newer than the following items.
    """

    cursor: StreamCursor
    kind: ItemKind
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
class RecordedConnection:
    """One subscription on one WebSocket, with its items in the order of their arrival.

    *after* continues the previous connection, or it is the cursor of a new *snapshot*.
    """

    opened: float
    after: StreamCursor
    snapshot: tuple[TaskFacts, ...] | None = None
    session_id: UUID | None = None
    items: list[Item] = field(default_factory=list)


@dataclass(slots=True)
class Listener:
    """A subscriber with its connections, one after the other."""

    name: str
    user_id: UUID
    only_status: bool = False
    connections: list[RecordedConnection] = field(default_factory=list)


@dataclass(slots=True)
class History:
    """The input of the check.

    *roles* has the roles of each user by access version; the last one is the current role. *log* is the server's event
    log, and *final* has all remaining tasks. If only some tasks are known (the server has other users, too), the
    history is not *whole*: other tasks are not checked, and *unplaced* are events whose position is unknown, because no
    listener received them. A change of a membership that is unplaced was made while all listeners were connected.

    *members* has the roles in projects before the log, by user; *final_members* has the stored ones at the end, if they
    are to be compared with the log.
    """

    writes: Sequence[Write]
    log: Sequence[LoggedEvent]
    listeners: Sequence[Listener]
    roles: Mapping[UUID, Mapping[int, Role]]
    final: Sequence[TaskFacts]
    whole: bool = True
    unplaced: Sequence[TaskEvent | MembershipEvent] = ()
    membership_writes: Sequence[MembershipWrite] = ()
    members: Mapping[UUID, Roles] = field(default_factory=dict)
    final_members: Mapping[UUID, Roles] | None = None
