"""The rules for tasks: limits, statuses, and the changes of status that are allowed."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Final
from uuid import UUID

from domain.errors import BadRequest, Conflict, Invalid, InvalidTransition
from domain.text import check_text, is_storable

MAX_TITLE = 200
MAX_DESCRIPTION = 10_000
MIN_SEARCH, MAX_SEARCH = 3, MAX_TITLE
MAX_SUBTASKS = 100

_ID_VERSION: Final = 7
_CLOCK_ERROR: Final = timedelta(days=1)

ExpectedVersion = int | Collection[int] | None
"""The version on which a change is based, or several allowed ones; None allows any version."""

_NEEDS_OFFSET = "needs an offset from UTC, for example 2026-12-24T18:00:00Z."


class TaskStatus(StrEnum):
    """The columns of the board."""

    TODO = "TODO"
    IN_PROGRESS = "IN_PROGRESS"
    DONE = "DONE"
    CANCELLED = "CANCELLED"


class TaskPriority(IntEnum):
    """How urgent a task is; a number, so that tasks sort by urgency."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3
    URGENT = 4


FOLLOWERS: dict[TaskStatus, frozenset[TaskStatus]] = {
    TaskStatus.TODO: frozenset({TaskStatus.IN_PROGRESS, TaskStatus.DONE, TaskStatus.CANCELLED}),
    TaskStatus.IN_PROGRESS: frozenset({TaskStatus.TODO, TaskStatus.DONE, TaskStatus.CANCELLED}),
    TaskStatus.DONE: frozenset({TaskStatus.TODO, TaskStatus.IN_PROGRESS}),
    TaskStatus.CANCELLED: frozenset({TaskStatus.TODO}),
}


def check_transition(current: TaskStatus, target: TaskStatus) -> None:
    """Refuse a change of status that is not allowed.

    The same status is always allowed, so that a repeated request is harmless.

    Raises:
        InvalidTransition: if *target* does not follow *current*.
    """
    if target != current and target not in FOLLOWERS[current]:
        ways = ", ".join(status.name for status in TaskStatus if status in FOLLOWERS[current])
        raise InvalidTransition(
            f"A task cannot go from {current.name} to {target.name}; from here it can go to {ways}.",
            path=("status",),
        )


def check_version(current: int, expected: ExpectedVersion, *, what: str = "task") -> None:
    """Refuse a change that is based on another version; None skips the check. *what* names the object in the message.

    Raises:
        Conflict: the current version is not *expected*.
    """
    if expected is None:
        return
    versions = {expected} if isinstance(expected, int) else set(expected)
    if current not in versions:
        versions_text = " or ".join(map(str, sorted(versions))) or "any that was named"
        raise Conflict(
            f"The {what} is at version {current}, not {versions_text}: it was changed in the meantime. "
            "Load it again, then repeat.",
            path=("expectedVersion",),
            version=current,
        )


def status_when(current: TaskStatus, *, completed: bool) -> TaskStatus:
    """The status for clients that only know whether a task is completed; a DONE task can be reopened."""
    if completed:
        return TaskStatus.DONE
    return TaskStatus.TODO if current is TaskStatus.DONE else current


def check_title(title: str) -> str:
    """The title, stripped: 1 to 200 characters.

    Raises:
        Invalid: outside these limits.
    """
    return check_text(title, field="title", at_least=1, at_most=MAX_TITLE)


def check_task_id(task_id: UUID, now: datetime) -> UUID:
    """The id of a new task that a client has chosen: a UUID of version 7 (RFC 9562, section 5.7).

    Raises:
        Invalid: it has another version, or its time is more than a day in the future.
    """
    if task_id.version != _ID_VERSION:
        raise Invalid("The id of a new task must contain a UUID of version 7 (RFC 9562).", path=("id",))
    milliseconds = task_id.int >> 80
    if milliseconds > (now + _CLOCK_ERROR).timestamp() * 1000:
        raise Invalid("The time in the id is in the future: set the clock of the client.", path=("id",))
    return task_id


def check_description(description: str) -> str:
    """The description: at most 10,000 characters.

    Raises:
        Invalid: beyond that.
    """
    return check_text(description, field="description", at_most=MAX_DESCRIPTION)


def check_due_at(due_at: datetime | None) -> datetime | None:
    """The due date in UTC. It must have an offset, because without one it is a different time in each time zone.

    Raises:
        Invalid: no offset, or outside the years 1970 to 9998 (UTC).
    """
    return None if due_at is None else _check_instant(due_at, field="dueAt")


def check_past(instant: datetime, now: datetime, *, field: str) -> datetime:
    """A time in the past, in UTC: with an offset, not before 1970 and not after *now*.

    Raises:
        Invalid: outside these limits.
    """
    past = _check_instant(instant, field=field)
    if past > now:
        raise Invalid(f"{field} must not be in the future.", path=(field,))
    return past


def check_due_bound(bound: datetime, *, field: str) -> datetime:
    """A bound of a filter by due date, in UTC.

    Raises:
        BadRequest: no offset, or beyond the years 1 to 9999 (UTC).
    """
    if bound.utcoffset() is None:
        raise BadRequest(f"{field} {_NEEDS_OFFSET}")
    instant = _in_utc(bound)
    if instant is None:
        raise BadRequest(f"{field} must be between the years 1 and 9999.")
    return instant


def check_search(search: str) -> str:
    """The search text, stripped: 3 to 200 characters; the index needs three.

    Raises:
        BadRequest: outside these limits, or not storable (NUL, a lone surrogate).
    """
    text = search.strip()
    if not MIN_SEARCH <= len(text) <= MAX_SEARCH:
        raise BadRequest(f"search needs {MIN_SEARCH} to {MAX_SEARCH} characters, not {len(text):,}.")
    if not is_storable(text):
        raise BadRequest("search contains a character that is not text (NUL or a lone surrogate).")
    return text


def completed_at(status: TaskStatus, now: datetime) -> datetime | None:
    """The completion time of a task that gets *status* now: *now* for DONE, else None."""
    return now if status is TaskStatus.DONE else None


def _check_instant(instant: datetime, *, field: str) -> datetime:
    if instant.utcoffset() is None:
        raise Invalid(f"{field} {_NEEDS_OFFSET}", path=(field,))
    in_utc = _in_utc(instant)
    if in_utc is None or not 1970 <= in_utc.year <= 9998:
        raise Invalid(f"{field} must be between the years 1970 and 9998.", path=(field,))
    return in_utc


def _in_utc(instant: datetime) -> datetime | None:
    try:
        return instant.astimezone(UTC)
    except OverflowError:  # the first and the last hours of the calendar, in another time zone
        return None
