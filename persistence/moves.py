"""A task's move as one statement: the row, its change and its event, in one round trip and a transaction of its own.

It makes the moves that nothing speaks against. Where it finds nothing to do, the ordinary way through a unit of work
says why. What speaks against one is asked of the same tables: the policy's reach, the statuses that may follow.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CTE,
    BindParameter,
    ColumnElement,
    DateTime,
    Integer,
    Select,
    String,
    Uuid,
    any_,
    bindparam,
    func,
    insert,
    literal_column,
    null,
    select,
    update,
)
from sqlalchemy.orm import class_mapper

from domain.actor import Actor
from domain.events import EventKind, TaskChange
from domain.policy import Action, reach
from domain.task import FOLLOWERS, ExpectedVersion, TaskPriority, TaskStatus
from persistence.models import EventRow, TaskRow
from persistence.reads.read import Values
from persistence.reads.statement import Statement
from persistence.reads.task import Reaches, visible

_TASKS: Final[Any] = TaskRow.__table__
_EVENTS: Final[Any] = EventRow.__table__
_COLUMNS: Final = tuple(_TASKS.columns.keys())
_NEW: Final[Callable[[], TaskRow]] = class_mapper(TaskRow).class_manager.new_instance
"""Without the constructor, which notes every attribute as a change that is to be saved."""
_STATUSES: Final = {status.value: status for status in TaskStatus}
_PRIORITIES: Final = {priority.value: priority for priority in TaskPriority}
_BEFORE: Final = {
    target: [status.value for status, followers in FOLLOWERS.items() if target in followers] for target in TaskStatus
}
"""The statuses that each of them may follow."""
_INSTANT: Final = DateTime(timezone=True)
_ISO_8601: Final = 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'


@dataclass(frozen=True, slots=True)
class Move:
    """A move that somebody asks for; *request_id* and *now* go into its event."""

    actor: Actor
    task_id: UUID
    status: TaskStatus
    expected: ExpectedVersion
    request_id: str | None
    now: datetime

    @property
    def statement(self) -> Statement:
        """The statement; there are few, each for many moves."""
        role = self.actor.role
        readable, movable = reach(role, Action.READ_TASK), reach(role, Action.CHANGE_STATUS)
        return _statement(readable, movable, self.status is TaskStatus.DONE, self.expected is not None)

    @property
    def values(self) -> Values:
        """The values of its parameters."""
        expected = self.expected
        return {
            "id": self.task_id,
            "actor_id": self.actor.user_id,
            "status": self.status,
            "statuses": _BEFORE[self.status],
            "versions": [expected] if isinstance(expected, int) else list(expected or ()),
            "request": self.request_id,
            "now": self.now,
        }


def moved(values: Any) -> TaskRow:
    """The task as the statement returns it: a row that belongs to no session, made as rows are loaded."""
    row = _NEW()
    found = row.__dict__
    found.update(zip(_COLUMNS, values, strict=True))
    found["status"], found["priority"] = _STATUSES[found["status"]], _PRIORITIES[found["priority"]]
    return row


@lru_cache(maxsize=64)
def _statement(readable: Reaches, movable: Reaches, is_done: bool, versioned: bool) -> Statement:
    changed = _changed(_before(readable, movable, versioned), is_done)
    return Statement.of(select(*(changed.c[name] for name in _COLUMNS)).add_cte(_told(changed)))


def _before(readable: Reaches, movable: Reaches, versioned: bool) -> CTE:
    """The row before the move, locked: what it was is told in the event, and must not be read a moment too early."""
    query: Select[Any] = select(_TASKS).where(
        TaskRow.id == _value("id", Uuid()),
        visible(readable),
        visible(movable),
        TaskRow.status == any_(_value("statuses", ARRAY(String()))),
    )
    if versioned:
        query = query.where(TaskRow.version == any_(_value("versions", ARRAY(Integer()))))
    return query.with_for_update(key_share=True).cte("before")


def _changed(before: CTE, is_done: bool) -> CTE:
    moment: ColumnElement[Any] = func.greatest(_value("now", _INSTANT), before.c.updated_at)
    query = (
        update(_TASKS)
        .where(_TASKS.c.id == before.c.id)
        .values(
            status=_value("status", String()),
            version=before.c.version + literal_column("1"),
            updated_at=moment,
            completed_at=moment if is_done else null(),
        )
    )
    return query.returning(*_TASKS.c, before.c.status.label("from_status")).cte("changed")


def _told(changed: CTE) -> CTE:
    """The event, as `TaskEvent.to_json` writes it; its id is drawn while the row is locked."""
    people = _object(owner=changed.c.owner_id, assignee=changed.c.assignee_id)
    facts = {
        "task": changed.c.id,
        "version": changed.c.version,
        "changes": _word(f'["{TaskChange.STATUS.value}"]', "jsonb"),
        "from": changed.c.from_status,
        "to": changed.c.status,
        "title": changed.c.title,
        "before": people,
        "after": people,
        "by": _value("actor_id", Uuid()),
        "at": func.to_char(func.timezone(_word("UTC"), changed.c.updated_at), _word(_ISO_8601)),
        "request": _value("request", String()),
    }
    row = {
        "kind": _word(EventKind.TASK.value),
        "task_id": changed.c.id,
        "user_id": _value("actor_id", Uuid()),
        "payload": _object(**facts),
        "recorded_at": _value("now", _INSTANT),
    }
    return insert(_EVENTS).from_select(list(row), select(*row.values())).cte("told")


def _object(**facts: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.jsonb_build_object(*(part for name, fact in facts.items() for part in (_word(name), fact)))


def _word(text: str, kind: str = "text") -> ColumnElement[Any]:
    """One of our own words, which need not be sent each time."""
    return literal_column(f"'{text}'::{kind}")


def _value(name: str, kind: Any) -> BindParameter[Any]:
    return bindparam(name, type_=kind)
