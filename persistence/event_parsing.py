"""What a task's history shows of stored events, in SQL: the same as `domain/event_reading` reads of them."""

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import ARRAY, ColumnElement, String, literal_column

from domain.events import EventKind, TaskChange
from domain.task import TaskStatus

_VERSION: Final = "^[0-9]{1,9}$"
_INSTANT: Final = (
    "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,6})?"
    "[+-]([01][0-9]|2[0-3]):[0-5][0-9]$"
)


def _listed(words: Iterable[str]) -> str:
    return ", ".join(f"'{word}'" for word in words)


_STATUSES: Final = _listed(status.value for status in TaskStatus)
_CHANGES: Final = _listed(change.value for change in TaskChange)
_COMES_FROM: Final = f"events.payload->>'from' IN ({_STATUSES})"

readable: Final[tuple[ColumnElement[bool], ...]] = tuple(
    literal_column(condition)
    for condition in (
        f"events.kind = '{EventKind.TASK.value}'",
        "jsonb_typeof(events.payload->'changes') = 'array'",
        f"events.payload->>'to' IN ({_STATUSES})",
        "jsonb_typeof(events.payload->'version') = 'number'",
        f"events.payload->>'version' ~ '{_VERSION}'",
        f"events.payload->>'at' ~ '{_INSTANT}'",
    )
)
"""Conditions that are true of an event which can be shown. A page of them is full, whatever else is in the log."""

_LISTED: Final = "jsonb_array_elements_text(events.payload->'changes') WITH ORDINALITY AS listed(change, place)"
_IS_KNOWN: Final = f"change IN ({_CHANGES}) AND (change <> '{TaskChange.STATUS.value}' OR {_COMES_FROM})"

changes: Final[ColumnElement[Any]] = literal_column(
    f"ARRAY(SELECT change FROM {_LISTED} WHERE {_IS_KNOWN} ORDER BY place)",  # noqa: S608 - our own words
    ARRAY(String()),
)
"""The changes that are known; a move only if it is known from where."""

from_status: Final[ColumnElement[Any]] = literal_column(
    f"CASE WHEN {_COMES_FROM} THEN events.payload->>'from' END", String()
)
"""The status before, if it is known."""
