"""Events and their JSON (format 2). An event is not modified after it is made.

Format 2 adds the project of a task before and after the event, and the id of the mutation; the keys of format 1 are
unchanged. `event_parsing` reads both formats.

A `TaskScopedEvent` is a change of a task, or of an object that belongs to a task. A `TaskEvent` is one transaction on
the task itself, which is one version of it. An `AccessEvent` is a change of a user's rights; it is in the same log, so
that it is delivered in order with the events that it forbids. A `MembershipEvent` is a change of a user's role in a
project, for the same reason. A `ProjectEvent` is a change of a project itself.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from operator import attrgetter
from typing import Any, ClassVar, Final, Self
from uuid import UUID

from domain.event_format import ID, INSTANT, PLAIN, EventFormat, JSONKey, ValueType, optional
from domain.project import ProjectRole
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
    OWNER = "OWNER"
    LABELS = "LABELS"
    RANK = "RANK"
    PARENT = "PARENT"
    PROJECT = "PROJECT"
    RESTORED = "RESTORED"
    DELETED = "DELETED"


# A lookup in a dict is faster than calling an enum.
_CHANGES_BY_NAME: Final = {change.value: change for change in TaskChange}
_STATUSES: Final = {status.value: status for status in TaskStatus}


class AccessChange(StrEnum):
    """A change of a user's rights."""

    SESSION_REVOKED = "SESSION_REVOKED"
    SESSIONS_REVOKED = "SESSIONS_REVOKED"
    TOKEN_REVOKED = "TOKEN_REVOKED"  # noqa: S105 - the word, not a secret
    PASSWORD_CHANGED = "PASSWORD_CHANGED"  # noqa: S105 - the word, not a secret
    ROLE_CHANGED = "ROLE_CHANGED"
    DISABLED = "DISABLED"
    ENABLED = "ENABLED"


_OF_SESSIONS: Final = frozenset({AccessChange.SESSIONS_REVOKED, AccessChange.PASSWORD_CHANGED})


class EventKind(StrEnum):
    """The kind of an event, where it is stored or sent."""

    TASK = "TASK"
    ACCESS = "ACCESS"
    COMMENT = "COMMENT"
    PROJECT = "PROJECT"


@dataclass(slots=True)
class People:
    """The owner, the assignee and the project of a task; they decide who may see it. A personal task has no project."""

    owner_id: UUID
    assignee_id: UUID | None
    project_id: UUID | None = None

    def to_json(self) -> dict[str, Any]:
        """The JSON object, see `PEOPLE`."""
        return PEOPLE.to_json(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(**PEOPLE.values(value))


PEOPLE: Final = EventFormat(
    owner_id=JSONKey("owner", ID),
    assignee_id=JSONKey("assignee", optional(ID)),
    project_id=JSONKey("project", ID, required=False),
)
"""The JSON of whose task it is."""


@dataclass(slots=True)  # not frozen: of what is made a thousand times a second, that is most of the cost
class TaskScopedEvent:
    """A change of a task or of an object that belongs to it; those who may see the task may see it.

    A subclass declares its `kind` and its `json_format`. The task's row is locked while the event is recorded.
    `version` is that of the changed object. `to_status` is the status of the task after the event; None means that
    this version does not know it. `before` and `after` are the people of the task. They are None where the task did not
    exist (created) or no longer does (deleted), and equal if the event does not change the task. `mutation_id` is that
    of a change with an idempotency key, see `IdempotencyKey.mutation_id`.
    """

    kind: ClassVar[EventKind]
    json_format: ClassVar[EventFormat]

    task_id: UUID
    version: int
    to_status: TaskStatus | None
    before: People | None
    after: People | None
    actor_id: UUID
    at: datetime
    request_id: str | None
    mutation_id: str | None = field(default=None, kw_only=True)

    @property
    def people(self) -> set[UUID]:
        """Who owned the task or was assigned to it, before or after."""
        sides = [side for side in (self.before, self.after) if side is not None]
        return {side.owner_id for side in sides} | {side.assignee_id for side in sides if side.assignee_id is not None}

    @property
    def projects(self) -> set[UUID]:
        """The projects of the task, before and after."""
        sides = (self.before, self.after)
        return {side.project_id for side in sides if side is not None and side.project_id is not None}

    @property
    def is_personal(self) -> bool:
        """Whether the task was personal, before or after."""
        return any(side is not None and side.project_id is None for side in (self.before, self.after))

    @property
    def changed_status(self) -> bool:
        """Whether the task moved to another column."""
        return False

    @property
    def deleted(self) -> bool:
        """Whether the task is deleted."""
        return self.after is None

    def to_json(self) -> dict[str, Any]:
        """The JSON object, see `json_format`."""
        return self.json_format.to_json(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """The inverse of `to_json`; `event_parsing` also reads events of newer versions."""
        return cls(**cls.json_format.values(value))


_CHANGES: Final = ValueType(
    lambda changes: [change.value for change in changes],
    lambda names: tuple([_CHANGES_BY_NAME[name] for name in names]),
)
# Only the status of a partial event, which is never written, is None.
_STATUS: Final = ValueType(lambda status: status and status.value, _STATUSES.__getitem__)


@lru_cache(maxsize=4_096)
def _people_of(values: tuple[tuple[str, Any], ...]) -> People:
    return People.from_json(dict(values))


def _read_side(value: Any) -> People | None:
    if value is None:
        return None
    try:
        # Most events do not change the people, and those of a task come again with each of its events.
        return _people_of(tuple(value.items()))
    except TypeError:
        return People.from_json(value)  # a newer version has added a value that is no text


_SIDE: Final = ValueType(lambda people: people and people.to_json(), _read_side)

TASK_SCOPE: Final = {
    "task_id": JSONKey("task", ID),
    "version": JSONKey("version", PLAIN),
    "to_status": JSONKey("to", _STATUS),
    "before": JSONKey("before", _SIDE),
    "after": JSONKey("after", _SIDE),
    "actor_id": JSONKey("by", ID),
    "at": JSONKey("at", INSTANT),
    "request_id": JSONKey("request", PLAIN),
    "mutation_id": JSONKey("mutation", PLAIN, required=False),
}
"""The keys that the JSON of every `TaskScopedEvent` has."""

TASK_EVENT: Final = EventFormat(
    **TASK_SCOPE,
    changes=JSONKey("changes", _CHANGES),
    from_status=JSONKey("from", optional(_STATUS)),
    title=JSONKey("title", PLAIN),
)
"""The JSON of a `TaskEvent`."""


@dataclass(slots=True)
class TaskEvent(TaskScopedEvent):
    """One transaction on one task.

    `from_status` and `to_status` are equal unless `changes` holds STATUS; `from_status` is None for a creation.
    `is_partial`: a newer version wrote it, and this one does not know all of its changes, or a status; then a status
    that is not known is None.
    """

    kind: ClassVar = EventKind.TASK
    json_format: ClassVar = TASK_EVENT

    changes: tuple[TaskChange, ...]
    from_status: TaskStatus | None
    title: str
    is_partial: bool = field(default=False, compare=False)

    @property
    def changed_status(self) -> bool:
        """Whether the task moved to another column."""
        return TaskChange.STATUS in self.changes


@dataclass(frozen=True, slots=True)
class AccessEvent:
    """The rights of a user changed.

    With a `session_id` it concerns that session, and with a `token_id` that personal access token. Without them it
    concerns all sessions of the user but `spared_session_id`, and all tokens unless it `spares_tokens`. To versions
    that do not know tokens, a revoked token is an unknown change of rights: they close the user's sockets.
    """

    kind: ClassVar = EventKind.ACCESS

    user_id: UUID
    change: AccessChange
    session_id: UUID | None
    spared_session_id: UUID | None
    actor_id: UUID
    at: datetime
    request_id: str | None
    token_id: UUID | None = None

    @property
    def spares_tokens(self) -> bool:
        """Whether it ends sessions only: personal access tokens do not depend on the password."""
        return self.change in _OF_SESSIONS

    def to_json(self) -> dict[str, Any]:
        """The JSON object, see `ACCESS_EVENT`."""
        return ACCESS_EVENT.to_json(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(**ACCESS_EVENT.values(value))


_ACCESS_CHANGE: Final = ValueType(attrgetter("value"), AccessChange)

ACCESS_EVENT: Final = EventFormat(
    user_id=JSONKey("user", ID),
    change=JSONKey("change", _ACCESS_CHANGE),
    session_id=JSONKey("session", optional(ID)),
    spared_session_id=JSONKey("spared", optional(ID)),
    actor_id=JSONKey("by", ID),
    at=JSONKey("at", INSTANT),
    request_id=JSONKey("request", PLAIN),
    token_id=JSONKey("token", ID, required=False),
)
"""The JSON of an `AccessEvent`."""

MEMBERSHIP: Final = "MEMBERSHIP"
"""The `change` in the JSON of a `MembershipEvent`. To versions that do not know it, it is an unknown change of rights:
they close the user's sockets.
"""


@dataclass(frozen=True, slots=True)
class MembershipEvent:
    """A user joined a project, left it, or got another role in it; `role` is None after the user left.

    `previous_role` is None if the user joined. It concerns all sessions of the user. They stay signed in.
    """

    kind: ClassVar = EventKind.ACCESS
    change: ClassVar = MEMBERSHIP
    session_id: ClassVar[UUID | None] = None
    spared_session_id: ClassVar[UUID | None] = None
    token_id: ClassVar[UUID | None] = None
    spares_tokens: ClassVar = False

    user_id: UUID
    project_id: UUID
    actor_id: UUID
    at: datetime
    request_id: str | None
    role: ProjectRole | None = None
    previous_role: ProjectRole | None = None
    mutation_id: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The JSON object, see `MEMBERSHIP_EVENT`."""
        return MEMBERSHIP_EVENT.to_json(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(**MEMBERSHIP_EVENT.values(value, without=("change",)))


_PROJECT_ROLE: Final = ValueType(attrgetter("value"), ProjectRole)

MEMBERSHIP_EVENT: Final = EventFormat(
    user_id=JSONKey("user", ID),
    change=JSONKey("change", PLAIN),
    project_id=JSONKey("project", ID),
    actor_id=JSONKey("by", ID),
    at=JSONKey("at", INSTANT),
    request_id=JSONKey("request", PLAIN),
    role=JSONKey("projectRole", _PROJECT_ROLE, required=False),
    previous_role=JSONKey("previousRole", _PROJECT_ROLE, required=False),
    mutation_id=JSONKey("mutation", PLAIN, required=False),
)
"""The JSON of a `MembershipEvent`."""


class ProjectChange(StrEnum):
    """What was done with a project, or with something in it that is no task."""

    CREATED = "CREATED"
    UPDATED = "UPDATED"
    ARCHIVED = "ARCHIVED"
    REOPENED = "REOPENED"
    LABEL_CREATED = "LABEL_CREATED"
    LABEL_UPDATED = "LABEL_UPDATED"
    LABEL_DELETED = "LABEL_DELETED"
    DELETED = "DELETED"
    RANKS = "RANKS"
    """The ranks of several tasks, in the same order, without new versions of the tasks."""


@dataclass(frozen=True, slots=True)
class ProjectEvent:
    """A change of a project or of its labels; those who may see the project may see it. The project's row is locked.

    `version` is that of the changed project or label, and `label_id` the label, if it is one.
    """

    kind: ClassVar = EventKind.PROJECT

    project_id: UUID
    change: ProjectChange
    actor_id: UUID
    at: datetime
    request_id: str | None
    version: int | None = None
    label_id: UUID | None = None
    mutation_id: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The JSON object, see `PROJECT_EVENT`."""
        return PROJECT_EVENT.to_json(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(**PROJECT_EVENT.values(value))


PROJECT_EVENT: Final = EventFormat(
    project_id=JSONKey("project", ID),
    change=JSONKey("change", ValueType(attrgetter("value"), ProjectChange)),
    actor_id=JSONKey("by", ID),
    at=JSONKey("at", INSTANT),
    request_id=JSONKey("request", PLAIN),
    version=JSONKey("version", PLAIN, required=False),
    label_id=JSONKey("label", ID, required=False),
    mutation_id=JSONKey("mutation", PLAIN, required=False),
)
"""The JSON of a `ProjectEvent`."""

RecordedEvent = TaskScopedEvent | AccessEvent | MembershipEvent | ProjectEvent
"""What this version writes."""
Revocation = AccessEvent | UnknownAccess
"""Events after which a process reads a user's rights again, and closes the user's sockets."""
AccessNews = Revocation | MembershipEvent
"""Events that change what a user may do or see."""
DeliveredEvent = TaskScopedEvent | ProjectEvent | MembershipEvent
"""Events that subscribers receive."""
Event = TaskScopedEvent | ProjectEvent | AccessNews | SkippedEvent
"""What the log may hold."""


@dataclass(slots=True)
class LoggedEvent:
    """An event that has its place in the one order of the log: dense, from 1.

    `fingerprint` is a random number of 48 bits. If the history is replaced, other events get the same positions, but
    not the same fingerprints. It is None for events of versions that did not have it.
    """

    position: int
    event: Event
    fingerprint: int | None = None

    @property
    def access_news(self) -> AccessNews | None:
        """The event, if it changes what a user may do or see."""
        return self.event if isinstance(self.event, AccessNews) else None

    def decode_for(self, ids: AbstractSet[str] | None) -> Mapping[str, Any] | None:
        """Decode the event if it may concern one of these users and projects, or for None in any case.

        Returns None if it is decoded, or the payload of an event that certainly does not concern them. Such an event is
        a change of a task, or of an object that belongs to a task, with other people and in other projects both before
        and after it. *ids* are in the form in which payloads hold them.
        """
        return None
