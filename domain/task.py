"""What is true of a task: its limits, its statuses and the moves between them."""

from collections.abc import Collection
from datetime import UTC, datetime
from enum import IntEnum, StrEnum

from domain.errors import BadRequest, Conflict, Invalid, InvalidTransition
from domain.text import check_text, is_storable

MAX_TITLE = 200
MAX_DESCRIPTION = 10_000
MIN_SEARCH, MAX_SEARCH = 3, MAX_TITLE

ExpectedVersion = int | Collection[int] | None
"""The version that a change was decided on, or several of which any will do; None: whichever."""

_NEEDS_OFFSET = "needs an offset from UTC, for example 2026-12-24T18:00:00Z."


class TaskStatus(StrEnum):
    """The columns of the board."""

    TODO = "TODO"
    IN_PROGRESS = "IN_PROGRESS"
    DONE = "DONE"
    CANCELLED = "CANCELLED"


class TaskPriority(IntEnum):
    """How urgent a task is; a number, so that it sorts as people expect."""

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
    """Refuse a status change the board does not know.

    Staying put is always allowed, so a retried request is harmless.

    Raises:
        InvalidTransition: if *target* does not follow *current*.
    """
    if target != current and target not in FOLLOWERS[current]:
        ways = ", ".join(status.name for status in TaskStatus if status in FOLLOWERS[current])
        raise InvalidTransition(
            f"A task cannot go from {current.name} to {target.name}; from here it can go to {ways}.",
            path=("status",),
        )


def check_version(current: int, expected: ExpectedVersion) -> None:
    """Refuse a change that was decided on another state; None asks for no check.

    Raises:
        Conflict: if the current version is not *expected*, or not among those that are.
    """
    if expected is None:
        return
    versions = {expected} if isinstance(expected, int) else set(expected)
    if current not in versions:
        told = " or ".join(map(str, sorted(versions))) or "any that was named"
        raise Conflict(
            f"The task is at version {current}, not {told}: somebody changed it. Load it again, then repeat.",
            path=("expectedVersion",),
            version=current,
        )


def status_when(current: TaskStatus, *, completed: bool) -> TaskStatus:
    """The status for those who know only whether a task is completed: what is DONE can be opened again."""
    if completed:
        return TaskStatus.DONE
    return TaskStatus.TODO if current is TaskStatus.DONE else current


def check_title(title: str) -> str:
    """The title, stripped: 1 to 200 characters.

    Raises:
        Invalid: outside these limits.
    """
    return check_text(title, field="title", at_least=1, at_most=MAX_TITLE)


def check_description(description: str) -> str:
    """The description: at most 10,000 characters.

    Raises:
        Invalid: beyond that.
    """
    return check_text(description, field="description", at_most=MAX_DESCRIPTION)


def check_due_at(due_at: datetime | None) -> datetime | None:
    """The due date in UTC; a date without an offset is not accepted, since it means a different instant everywhere.

    Raises:
        Invalid: no offset, or outside the years 1970 to 9998 (UTC).
    """
    return None if due_at is None else _check_instant(due_at, field="dueAt")


def check_past(instant: datetime, now: datetime, *, field: str) -> datetime:
    """When something happened elsewhere, in UTC: with an offset, not before 1970 and not after *now*.

    Raises:
        Invalid: outside these limits.
    """
    past = _check_instant(instant, field=field)
    if past > now:
        raise Invalid(f"{field} must not lie in the future.", path=(field,))
    return past


def check_due_bound(bound: datetime, *, field: str) -> datetime:
    """One end of a span of due dates that is asked for, in UTC.

    Raises:
        BadRequest: no offset, or beyond the years 1 to 9999 (UTC).
    """
    if bound.utcoffset() is None:
        raise BadRequest(f"{field} {_NEEDS_OFFSET}")
    instant = _in_utc(bound)
    if instant is None:
        raise BadRequest(f"{field} must lie between the years 1 and 9999.")
    return instant


def check_search(search: str) -> str:
    """The text to look for, stripped: 3 to 200 characters, since with fewer there is no index to look it up in.

    Raises:
        BadRequest: outside these limits, or no text (NUL, a lone surrogate).
    """
    text = search.strip()
    if not MIN_SEARCH <= len(text) <= MAX_SEARCH:
        raise BadRequest(f"search needs {MIN_SEARCH} to {MAX_SEARCH} characters, not {len(text):,}.")
    if not is_storable(text):
        raise BadRequest("search contains a character that is not text (NUL or a lone surrogate).")
    return text


def completed_at(status: TaskStatus, now: datetime) -> datetime | None:
    """When a task that enters *status* now was completed: only a DONE task was."""
    return now if status is TaskStatus.DONE else None


def _check_instant(instant: datetime, *, field: str) -> datetime:
    if instant.utcoffset() is None:
        raise Invalid(f"{field} {_NEEDS_OFFSET}", path=(field,))
    in_utc = _in_utc(instant)
    if in_utc is None or not 1970 <= in_utc.year <= 9998:
        raise Invalid(f"{field} must lie between the years 1970 and 9998.", path=(field,))
    return in_utc


def _in_utc(instant: datetime) -> datetime | None:
    try:
        return instant.astimezone(UTC)
    except OverflowError:  # the first and the last hours of the calendar, seen from elsewhere
        return None
