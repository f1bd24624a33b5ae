"""What a task's history shows of stored events, in SQL: the same as `domain/event_parsing.py` reads of them."""

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import ARRAY, ColumnElement, String, literal_column

from domain.events import TASK_EVENT, EventKind, TaskChange
from domain.task import TaskStatus

_VERSION: Final = "^[0-9]{1,9}$"
_INSTANT: Final = (
    "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,6})?"
    "[+-]([01][0-9]|2[0-3]):[0-5][0-9]$"
)


def _listed(words: Iterable[str]) -> str:
    return ", ".join(f"'{word}'" for word in words)


def _text(attribute: str) -> str:
    return f"events.payload->>'{TASK_EVENT.name_of(attribute)}'"


_CHANGES_KEY: Final = f"events.payload->'{TASK_EVENT.name_of('changes')}'"
_VERSION_KEY: Final = f"events.payload->'{TASK_EVENT.name_of('version')}'"
_STATUSES: Final = _listed(status.value for status in TaskStatus)
_CHANGES: Final = _listed(change.value for change in TaskChange)
_COMES_FROM: Final = f"{_text('from_status')} IN ({_STATUSES})"

readable: Final[tuple[ColumnElement[bool], ...]] = tuple(
    literal_column(condition)
    for condition in (
        f"events.kind = '{EventKind.TASK.value}'",
        f"jsonb_typeof({_CHANGES_KEY}) = 'array'",
        f"{_text('to_status')} IN ({_STATUSES})",
        f"jsonb_typeof({_VERSION_KEY}) = 'number'",
        f"{_text('version')} ~ '{_VERSION}'",
        f"{_text('at')} ~ '{_INSTANT}'",
    )
)
"""Conditions that are true of an event which can be shown. A page of them is full, whatever else is in the log."""

_LISTED: Final = f"jsonb_array_elements_text({_CHANGES_KEY}) WITH ORDINALITY AS listed(change, place)"
_IS_KNOWN: Final = f"change IN ({_CHANGES}) AND (change <> '{TaskChange.STATUS.value}' OR {_COMES_FROM})"

changes: Final[ColumnElement[Any]] = literal_column(
    f"ARRAY(SELECT change FROM {_LISTED} WHERE {_IS_KNOWN} ORDER BY place)",  # noqa: S608 - constants of this module
    ARRAY(String()),
)
"""The changes that are known; a move only if it is known from where."""

from_status: Final[ColumnElement[Any]] = literal_column(
    f"CASE WHEN {_COMES_FROM} THEN {_text('from_status')} END", String()
)
"""The status before, if it is known."""
