"""Status changes of tasks in one statement: rows and events, in one round trip and one transaction.

The statement makes the changes that are allowed. For any other one the unit of work reports why it was refused.
Both use the same tables: the reach of the policy, and the allowed transitions.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, TypeGuard
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CTE,
    ColumnElement,
    DateTime,
    Integer,
    String,
    TableValuedAlias,
    Uuid,
    and_,
    bindparam,
    case,
    column,
    func,
    insert,
    literal_column,
    null,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.orm import class_mapper

from domain.actor import Actor
from domain.events import TASK_EVENT, EventKind, TaskChange
from domain.policy import Action, reach
from domain.task import FOLLOWERS, ExpectedVersion, TaskPriority, TaskStatus
from domain.user import Role
from persistence.event_format import constant, payload
from persistence.models import EventRow, TaskRow
from persistence.queries.statement import Statement
from persistence.queries.task_visibility import visible

_TASKS: Final[Any] = TaskRow.__table__
_EVENTS: Final[Any] = EventRow.__table__
_COLUMNS: Final = tuple(_TASKS.columns.keys())
_NEW: Final[Callable[[], TaskRow]] = class_mapper(TaskRow).class_manager.new_instance
"""Without the constructor, which notes every attribute as a change that is to be saved."""
_STATUSES: Final = {status.value: status for status in TaskStatus}
_PRIORITIES: Final = {priority.value: priority for priority in TaskPriority}
_INSTANT: Final = DateTime(timezone=True)
_GREATEST: Final = 2**31 - 1  # that a version can be
_PARAMETERS: Final[dict[str, Any]] = {
    "id": Uuid(),
    "actor_id": Uuid(),
    "role": String(),
    "to_status": String(),
    "expected": Integer(),
    "request": String(),
    "now": _INSTANT,
}
"""The parameters of an update, with their types."""


@dataclass(frozen=True, slots=True)
class StatusUpdate:
    """A requested change of a task's status; *request_id* and *now* are for its event."""

    actor: Actor
    task_id: UUID
    status: TaskStatus
    expected: int | None
    request_id: str | None
    now: datetime

    def values(self) -> tuple[Any, ...]:
        """The values in the order of `_PARAMETERS`."""
        actor = self.actor
        return self.task_id, actor.user_id, actor.role, self.status, self.expected, self.request_id, self.now


def can_be_compared(version: ExpectedVersion) -> TypeGuard[int | None]:
    """Whether the statement can check this version: it must be a single one, and within the range of the column."""
    return version is None or (isinstance(version, int) and 0 <= version <= _GREATEST)


@lru_cache(maxsize=1)
def update_statement() -> str:
    """The statement; its parameters are those of `arguments`, its rows those of `row_of`.

    It skips tasks that another transaction has locked. Waiting would delay the other updates, and two such statements
    could wait for each other.
    """
    changed = _changed(_before(_parameters()))
    return Statement.of(select(*(changed.c[name] for name in _COLUMNS)).add_cte(_events(changed))).text


def arguments(updates: Sequence[StatusUpdate]) -> tuple[Sequence[Any], ...]:
    """The parameters of the statement for updates of different tasks."""
    return tuple(zip(*(update.values() for update in updates), strict=True))


def row_of(values: Any) -> TaskRow:
    """A task from a row of the statement. It belongs to no session."""
    row = _NEW()
    found = row.__dict__
    found.update(zip(_COLUMNS, values, strict=True))
    found["status"], found["priority"] = _STATUSES[found["status"]], _PRIORITIES[found["priority"]]
    return row


def _parameters() -> TableValuedAlias:
    columns = [column(name, kind) for name, kind in _PARAMETERS.items()]
    arrays = (bindparam(name, type_=ARRAY(kind)) for name, kind in _PARAMETERS.items())
    return func.unnest(*arrays).table_valued(*columns).render_derived(name="parameters")


def _before(parameters: TableValuedAlias) -> CTE:
    """The rows before the changes, locked: their values go into the events and must not be older than the lock."""
    given = parameters.c
    query = select(_TASKS, given.actor_id, given.to_status, given.request, given.now).where(
        TaskRow.id == given.id,
        or_(*(and_(given.role == constant(role.value), _may(role, given.actor_id)) for role in Role)),
        tuple_(TaskRow.status, given.to_status).in_(_steps()),
        or_(given.expected.is_(None), TaskRow.version == given.expected),
    )
    return query.with_for_update(of=_TASKS, key_share=True, skip_locked=True).cte("before")


def _may(role: Role, actor: ColumnElement[UUID]) -> ColumnElement[bool]:
    readable, movable = reach(role, Action.READ_TASK), reach(role, Action.CHANGE_STATUS)
    return and_(visible(readable, actor), visible(movable, actor))


def _steps() -> list[Any]:
    """The allowed changes of status."""
    return [
        tuple_(constant(status.value), constant(follower.value))
        for status, followers in FOLLOWERS.items()
        for follower in sorted(followers)
    ]


def _changed(before: CTE) -> CTE:
    moment: ColumnElement[Any] = func.greatest(before.c.now, before.c.updated_at)
    query = (
        update(_TASKS)
        .where(_TASKS.c.id == before.c.id)
        .values(
            status=before.c.to_status,
            version=before.c.version + literal_column("1"),
            updated_at=moment,
            completed_at=case((before.c.to_status == constant(TaskStatus.DONE.value), moment), else_=null()),
        )
    )
    extra = before.c.status.label("from_status"), before.c.actor_id, before.c.request, before.c.now
    return query.returning(*_TASKS.c, *extra).cte("changed")


def _events(changed: CTE) -> CTE:
    """The events; their ids are drawn while the rows are locked."""
    people = {"owner_id": changed.c.owner_id, "assignee_id": changed.c.assignee_id}
    event = {
        "task_id": changed.c.id,
        "version": changed.c.version,
        "changes": (TaskChange.STATUS,),
        "from_status": changed.c.from_status,
        "to_status": changed.c.status,
        "title": changed.c.title,
        "before": people,
        "after": people,
        "actor_id": changed.c.actor_id,
        "at": changed.c.updated_at,
        "request_id": changed.c.request,
    }
    row = {
        "kind": constant(EventKind.TASK.value),
        "task_id": changed.c.id,
        "user_id": changed.c.actor_id,
        "payload": payload(TASK_EVENT, event),
        "recorded_at": func.clock_timestamp(),
    }
    return insert(_EVENTS).from_select(list(row), select(*row.values())).cte("events_recorded")
