"""Queries for the history of tasks."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import ColumnElement, DateTime, Integer, and_, cast, type_coerce

from domain.events import TASK_EVENT
from persistence.event_parsing import changes, from_status, readable
from persistence.models import EventRow, TaskHistoryRow
from persistence.queries.child_list import ChildList, number_in
from persistence.queries.joins import References, user_in
from persistence.queries.selectivity import usually

REFERENCES_OF_AN_EVENT: Final[References] = {"by": user_in("user_id")}


def _fact(attribute: str) -> ColumnElement[str]:
    """What the payload has of an attribute of `TaskEvent`."""
    fact: ColumnElement[str] = EventRow.payload[TASK_EVENT.name_of(attribute)].astext
    return fact


_COLUMNS: Final[Mapping[str, Any]] = {
    "id": EventRow.id,
    "user_id": EventRow.user_id,
    "at": cast(_fact("at"), DateTime(timezone=True)),
    "changes": changes,
    "from_": from_status,
    "to": _fact("to_status"),
    "version": cast(_fact("version"), Integer),
}
"""The columns of `TaskHistoryRow`, by name."""

HISTORY: Final = ChildList(
    order="task.history",
    parent_id=EventRow.task_id,
    place=EventRow.position,
    columns={name: type_coerce(each, TaskHistoryRow.__table__.c[name].type) for name, each in _COLUMNS.items()},
    read_place=number_in,
    references=REFERENCES_OF_AN_EVENT,
    conditions=(EventRow.position.is_not(None), usually(and_(*readable))),
    descending=True,
)
"""The events of tasks, the newest first."""
