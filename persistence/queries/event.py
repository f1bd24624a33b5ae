"""Queries for the history of tasks."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    DateTime,
    FromClause,
    Integer,
    Select,
    Uuid,
    bindparam,
    cast,
    func,
    select,
    type_coerce,
)

from domain.errors import BadRequest
from domain.events import TASK_EVENT
from persistence.event_parsing import changes, from_status, readable
from persistence.models import EventRow, TaskHistoryRow
from persistence.pagination import NOT_OURS, PageCursor, PageRequest, page_cursor
from persistence.queries.joins import References, joined, own_columns
from persistence.queries.page_facts import ONE, facts_of, is_any
from persistence.queries.query import Paged, Query

HISTORY_ORDER: Final = "task.history"
_AFTER: Final = bindparam("after", type_=BigInteger())
_BEFORE: Final = bindparam("before", type_=BigInteger())
REFERENCES_OF_AN_EVENT: Final[References] = {"by": "user_id"}


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


def _column(name: str) -> ColumnElement[Any]:
    return type_coerce(_COLUMNS[name], TaskHistoryRow.__table__.c[name].type).label(name)


@dataclass(frozen=True, slots=True)
class HistoryOfTasks:
    """The events of tasks, the newest first. Parameters: `ids`, `limit` for each task, the positions `after`, `before`.

    The rows start at the end from which the page is taken. After the requested columns each row has the facts, its
    position, and the id of its task. An empty page with facts is one row without an event.
    """

    after: bool
    before: bool
    backward: bool
    facts: tuple[str, ...]

    def select(self, columns: Sequence[str]) -> Select[Any]:
        """The statement."""
        wanted = func.unnest(bindparam("ids", type_=ARRAY(Uuid()))).table_valued("id", name="wanted").render_derived()
        selected = [_column(name) for name in own_columns(columns, REFERENCES_OF_AN_EVENT)]
        limit = bindparam("limit", type_=Integer())
        found = self._found(wanted, [*selected, EventRow.position], self._inside(), newest_first=not self.backward)
        events = found.limit(limit).lateral("selected")
        facts = self._facts(wanted).lateral("facts") if self.facts else None
        query = joined(events, columns, REFERENCES_OF_AN_EVENT, beside=wanted, facts=facts)
        place = events.c.position
        query = query.add_columns(place.label("place"), wanted.c.id.label("place_id"))
        return query.order_by(place.asc() if self.backward else place.desc())

    def _inside(self) -> list[ColumnElement[bool]]:
        found: list[ColumnElement[bool]] = [EventRow.position.is_not(None)]
        if self.after:
            found.append(EventRow.position < _AFTER)
        if self.before:
            found.append(EventRow.position > _BEFORE)
        return found

    def _facts(self, wanted: FromClause) -> Select[Any]:
        def earlier() -> ColumnElement[bool]:
            return self._is_any(wanted, EventRow.position >= _AFTER, newest_first=False)

        def later() -> ColumnElement[bool]:
            return self._is_any(wanted, EventRow.position <= _BEFORE, newest_first=True)

        return facts_of(self.facts, {"earlier": earlier, "later": later})

    def _is_any(self, wanted: FromClause, place: ColumnElement[bool], *, newest_first: bool) -> ColumnElement[bool]:
        found = self._found(wanted, [EventRow.id], [place], newest_first=newest_first)
        return is_any(found.limit(ONE).correlate(wanted))

    def _found(
        self, wanted: FromClause, columns: Sequence[Any], place: Sequence[ColumnElement[bool]], *, newest_first: bool
    ) -> Select[Any]:
        by = EventRow.position.desc() if newest_first else EventRow.position.asc()
        return select(*columns).where(EventRow.task_id == wanted.c.id, *place, *readable).order_by(by)


def history(ids: Collection[UUID], request: PageRequest) -> Paged:
    """A page of the history of each task, and one more event, to find out whether there is a next page.

    Raises:
        BadRequest: a cursor was not made by this API.
    """
    values: dict[str, Any] = {"ids": list(ids), "limit": request.limit}
    for name, cursor in (("after", request.after), ("before", request.before)):
        if cursor is not None:
            values[name] = _position(cursor)
    rows = HistoryOfTasks(request.after is not None, request.before is not None, request.backward, request.facts)
    return Paged(Query(rows, values), request, history_cursor)


def history_cursor(position: int, task_id: UUID) -> str:
    """The cursor of an event in the history of a task."""
    return page_cursor(HISTORY_ORDER, str(position), task_id)


def _position(cursor: PageCursor) -> int:
    value = cursor.value or ""
    if not value.isascii() or not value.isdigit() or len(value) > 18:
        raise BadRequest(NOT_OURS)
    return int(value)
