"""What is read of the log beside the stream: where it stands, and what happened to some tasks."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    DateTime,
    FromClause,
    Integer,
    Select,
    Uuid,
    bindparam,
    cast,
    func,
    lateral,
    select,
)

from persistence.models import EventHeadRow, EventRow
from persistence.reads.read import Asked
from persistence.reads.references import References, joined, own_columns

_GREATEST: Final = 2**63 - 1
_BY: Final[References] = {"by": "user_id"}
_FACTS: Final = EventRow.payload
_COLUMNS: Final[Mapping[str, Any]] = {
    "id": EventRow.id,
    "user_id": EventRow.user_id,
    "at": cast(_FACTS["at"].astext, DateTime(timezone=True)),
    "changes": func.array(select(func.jsonb_array_elements_text(_FACTS["changes"]).column_valued()).scalar_subquery()),
    "from_": _FACTS["from"].astext,
    "to": _FACTS["to"].astext,
    "version": cast(_FACTS["version"].astext, Integer),
}
"""What an event is asked for, by the names that it has in a history."""


@dataclass(frozen=True, slots=True)
class StreamHead:
    """Where the log stands: its epoch, and the last position."""

    def select(self, columns: Sequence[str] = ("epoch", "position")) -> Select[Any]:
        """One row."""
        return joined(EventHeadRow.__table__, columns)


@dataclass(frozen=True, slots=True)
class HistoryOfTasks:
    """What happened to tasks, the newest first: `ids`, `limit` for each, `before`, a position.

    Behind the columns that are asked for each row has two more: its position, and which task it is about.
    """

    def select(self, columns: Sequence[str]) -> Select[Any]:
        """As many as the limit says of each task."""
        wanted = func.unnest(bindparam("ids", type_=ARRAY(Uuid()))).table_valued("id", name="wanted").render_derived()
        told = (_COLUMNS[name].label(name) for name in own_columns(columns, _BY))
        events: FromClause = lateral(
            select(*told, EventRow.position, EventRow.task_id)
            .where(EventRow.task_id == wanted.c.id, EventRow.position < bindparam("before", type_=BigInteger()))
            .order_by(EventRow.position.desc())
            .limit(bindparam("limit", type_=Integer())),
            name="told",
        )
        query = joined(events, columns, _BY, beside=wanted)
        return query.add_columns(events.c.position.label("place"), events.c.task_id).order_by(events.c.position.desc())


def stream_head() -> Asked:
    """Where the log stands."""
    return Asked(StreamHead(), {})


def history(ids: Collection[UUID], *, before: int | None, at_most: int) -> Asked:
    """The last events of some tasks, behind (that is older than) a position."""
    before = _GREATEST if before is None else min(before, _GREATEST)
    return Asked(HistoryOfTasks(), {"ids": list(ids), "before": before, "limit": at_most})
