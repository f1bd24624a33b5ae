"""Reading stored events, also those of a newer version: what is unknown is left out, and nothing raises.

- An event of an unknown kind, or without its required facts, is skipped.
- A task event with unknown changes is read with the known ones. An unknown status is read as None: the event then is
  no move, and if the status after it is unknown, only users who lose the task receive it.
- A change of rights that is not wholly understood becomes `UnknownAccess`.
- Unknown keys are ignored; `title`, `from` and `request` of a task event may be missing.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, TypeVar
from uuid import UUID

from domain.comment import CommentEvent
from domain.events import (
    ACCESS_EVENT,
    MEMBERSHIP,
    TASK_EVENT,
    AccessEvent,
    AccessNews,
    Event,
    EventKind,
    MembershipEvent,
    ProjectEvent,
    TaskChange,
    TaskEvent,
    TaskScopedEvent,
)
from domain.task import TaskStatus
from domain.unknown_events import SkippedEvent, UnknownAccess

EVENTS_OF_NOUNS: Final[tuple[type[TaskScopedEvent], ...]] = (CommentEvent,)
"""The events of objects that belong to a task, a class for each kind. They are read completely, or skipped."""

MAX_KIND: Final = 20
MAX_VERSION: Final = 2**31 - 1
UNREADABLE: Final = (KeyError, TypeError, ValueError, AttributeError, OverflowError)
"""What reading a payload of another form raises."""
_READ_IN_PART: Final = frozenset({"changes", "from_status", "to_status", "title", "request_id", "mutation_id"})
"""The attributes of a task event that are read as far as they are understood."""
_CHANGES: Final[Mapping[str, TaskChange]] = {change.value: change for change in TaskChange}
_STATUSES: Final[Mapping[str, TaskStatus]] = {status.value: status for status in TaskStatus}

EventT = TypeVar("EventT", bound=TaskScopedEvent)


def read_event(kind: object, payload: Any) -> Event:
    """The event that is stored under a kind, as far as this version understands it."""
    read = _READERS.get(kind) if isinstance(kind, str) else None
    return read(payload) if read is not None else SkippedEvent(str(kind)[:MAX_KIND])


def _read_task_event(payload: Any) -> TaskEvent | SkippedEvent:
    try:
        return _checked(TaskEvent.from_json(payload))
    except UNREADABLE:
        pass
    try:
        return _checked(_read_in_part(payload))
    except UNREADABLE:
        return SkippedEvent(EventKind.TASK.value)


def _checked(event: TaskEvent) -> TaskEvent:
    if event.from_status is None and event.changed_status:
        raise ValueError("a status change without a previous status")
    return _with_valid_scope(event)


def _with_valid_scope(event: EventT) -> EventT:
    if type(event.version) is not int or not 0 <= event.version <= MAX_VERSION or event.at.tzinfo is None:
        raise ValueError("no version, or no instant")
    return event


def _read_in_part(payload: Any) -> TaskEvent:
    name = TASK_EVENT.name_of
    from_status, to_status = _status(payload.get(name("from_status"))), _status(payload[name("to_status")])
    is_move = from_status is not None and to_status is not None
    return TaskEvent(
        **TASK_EVENT.values(payload, without=_READ_IN_PART),
        changes=_changes(payload[name("changes")], is_move=is_move),
        from_status=from_status,
        to_status=to_status,
        title=_text(payload.get(name("title"))) or "",
        request_id=_text(payload.get(name("request_id"))),
        mutation_id=_text(payload.get(name("mutation_id"))),
        is_partial=True,
    )


def _changes(names: Any, *, is_move: bool) -> tuple[TaskChange, ...]:
    if not isinstance(names, list):
        raise TypeError("changes must be a list")
    known = [_CHANGES[name] for name in names if isinstance(name, str) and name in _CHANGES]
    return tuple(change for change in known if is_move or change is not TaskChange.STATUS)


def _status(name: Any) -> TaskStatus | None:
    return _STATUSES.get(name) if isinstance(name, str) else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _read_access_event(payload: Any) -> AccessNews:
    try:
        if payload[ACCESS_EVENT.name_of("change")] == MEMBERSHIP:
            return MembershipEvent.from_json(payload)
        return AccessEvent.from_json(payload)
    except UNREADABLE:
        return UnknownAccess(_user(payload))


def _user(payload: Any) -> UUID | None:
    try:
        user_id: UUID = ACCESS_EVENT.keys["user_id"].type.read(payload[ACCESS_EVENT.name_of("user_id")])
        return user_id
    except UNREADABLE:
        return None


def _read_whole(event: type[TaskScopedEvent], payload: Any) -> TaskScopedEvent | SkippedEvent:
    try:
        return _with_valid_scope(event.from_json(payload))
    except UNREADABLE:
        return SkippedEvent(event.kind.value)


def _read_project_event(payload: Any) -> ProjectEvent | SkippedEvent:
    try:
        event = ProjectEvent.from_json(payload)
    except UNREADABLE:
        return SkippedEvent(EventKind.PROJECT.value)
    return event if event.at.tzinfo is not None else SkippedEvent(EventKind.PROJECT.value)


_READERS: Final[Mapping[str, Callable[[Any], Event]]] = {
    EventKind.TASK.value: _read_task_event,
    EventKind.ACCESS.value: _read_access_event,
    EventKind.PROJECT.value: _read_project_event,
    **{event.kind.value: partial(_read_whole, event) for event in EVENTS_OF_NOUNS},
}
