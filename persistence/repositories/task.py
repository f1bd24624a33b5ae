"""Tasks, remembered: constructed for one actor, so that nobody can load what they may not see."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    any_,
    false,
    func,
    inspect,
    literal,
    literal_column,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncSession

from domain.actor import Actor
from domain.errors import BadRequest, NotFound
from domain.policy import Action, Reach, reach
from domain.task import TaskPriority, TaskStatus, check_due_bound, check_search
from persistence.bulk import insert_many
from persistence.models import TaskRow
from persistence.pages import NOT_OURS, Page, PageCursor, PageRequest

_GREATEST: Final = 2**63 - 1  # that PostgreSQL can count to
_ESCAPES: Final = str.maketrans({"%": r"\%", "_": r"\_", "\\": r"\\"})
_EARLIEST: Final[ColumnElement[Any]] = literal_column("'-infinity'::timestamptz")
_LATEST: Final[ColumnElement[Any]] = literal_column("'infinity'::timestamptz")
_DUE_OR_LATEST: Final = func.coalesce(TaskRow.due_at, _LATEST)
_DUE_OR_EARLIEST: Final = func.coalesce(TaskRow.due_at, _EARLIEST)


class TaskOrder(StrEnum):
    """The orders a list of tasks can have; equals are ordered by id, the same way."""

    CREATED_ASC = "CREATED_ASC"
    CREATED_DESC = "CREATED_DESC"
    UPDATED_ASC = "UPDATED_ASC"
    UPDATED_DESC = "UPDATED_DESC"
    DUE_ASC = "DUE_ASC"
    DUE_DESC = "DUE_DESC"
    PRIORITY_ASC = "PRIORITY_ASC"
    PRIORITY_DESC = "PRIORITY_DESC"

    @property
    def descending(self) -> bool:
        """Whether the greatest comes first."""
        return self.value.endswith("_DESC")


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """Which tasks: AND between fields, OR within a list; None = whichever, an empty list = none.

    Due dates reach from `due_after` on to before `due_before`; `search` is looked for in title and description,
    ignoring case, and needs three characters.
    """

    status: tuple[TaskStatus, ...] | None = None
    priority: tuple[TaskPriority, ...] | None = None
    owner_id: UUID | None = None
    assignee_id: UUID | None = None
    due_after: datetime | None = None
    due_before: datetime | None = None
    search: str | None = None


EVERYTHING: Final = TaskFilter()
_STORED: Final = tuple(attribute.class_attribute for attribute in inspect(TaskRow).column_attrs)


class TaskRepository:
    """The tasks that one actor may see."""

    def __init__(self, session: AsyncSession, actor: Actor | None) -> None:
        self._session = session
        self._actor = actor

    async def find(self, task_id: UUID, *, lock: bool = False) -> TaskRow | None:
        """The task, its row locked if asked for, or None if the actor sees no such task."""
        query = select(TaskRow).where(TaskRow.id == task_id, self._visible())
        if lock:
            query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
        return await self._session.scalar(query)

    async def get(self, task_id: UUID, *, lock: bool = False) -> TaskRow:
        """The task, its row locked if asked for.

        Raises:
            NotFound: the actor sees no such task.
        """
        row = await self.find(task_id, lock=lock)
        if row is None:
            raise NotFound("Task not found", path=("id",))
        return row

    async def find_many(self, ids: Collection[UUID]) -> dict[UUID, TaskRow]:
        """Those of the tasks that the actor sees, by id."""
        # One array and not a list of parameters: the statement stays the same, and prepared, for any number of them.
        wanted = literal(list(ids), ARRAY(TaskRow.id.type))
        rows = await self._session.scalars(select(TaskRow).where(TaskRow.id == any_(wanted), self._visible()))
        return {row.id: row for row in rows}

    async def page(self, request: PageRequest, *, wanted: TaskFilter, order: TaskOrder) -> Page[TaskRow]:
        """Tasks in an order, behind a cursor.

        Raises:
            BadRequest: the cursor belongs to another ordering, or the filter breaks a limit.
        """
        key = _KEYS[order]
        query = select(TaskRow).where(self._visible(), *_conditions(wanted, due=key.due))
        if request.after is not None:
            query = query.where(_behind(key, order, request.after))
        direction = (key.column.desc(), TaskRow.id.desc()) if order.descending else (key.column, TaskRow.id)
        rows = list(await self._session.scalars(query.order_by(*direction).limit(request.first + 1)))
        shown = rows[: request.first]
        cursors = [PageCursor(order.value, key.write(row), row.id).encode() for row in shown]
        return Page(shown, cursors, len(rows) > request.first, request.after is not None)

    async def slice(self, *, skip: int, limit: int) -> list[TaskRow]:
        """Tasks by age, the oldest first, from an offset: for clients that know no cursors.

        Raises:
            BadRequest: one of the numbers is negative.
        """
        if skip < 0 or limit < 0:
            raise BadRequest("skip and limit must not be negative.")
        query = select(TaskRow).where(self._visible()).order_by(TaskRow.created_at, TaskRow.id)
        rows = await self._session.scalars(query.offset(min(skip, _GREATEST)).limit(min(limit, _GREATEST)))
        return list(rows)

    async def count(self, wanted: TaskFilter) -> int:
        """How many tasks there are of these.

        Raises:
            BadRequest: the filter breaks a limit.
        """
        query = select(func.count()).select_from(TaskRow).where(self._visible(), *_conditions(wanted))
        return await self._session.scalar(query) or 0

    async def after_id(self, last: UUID | None, *, at_most: int) -> list[TaskRow]:
        """Tasks in the order of their ids, behind one: the quickest way through all of them."""
        query = select(TaskRow).where(self._visible())
        if last is not None:
            query = query.where(TaskRow.id > last)
        return list(await self._session.scalars(query.order_by(TaskRow.id).limit(at_most)))

    def add(self, row: TaskRow) -> None:
        """Remember a new task."""
        self._session.add(row)

    async def add_many(self, rows: Sequence[TaskRow]) -> set[UUID]:
        """Remember new tasks at once, but for those whose id is taken; returns the ids of the others."""
        values = {column: [getattr(row, column.key) for row in rows] for column in _STORED}
        query = insert_many(TaskRow, values).on_conflict_do_nothing(index_elements=[TaskRow.id]).returning(TaskRow.id)
        return set(await self._session.scalars(query))

    async def remove(self, row: TaskRow) -> None:
        """Forget a task."""
        await self._session.delete(row)

    def _visible(self) -> ColumnElement[bool]:
        """What the policy says about reading, as a condition."""
        if self._actor is None:
            return false()
        reaches = reach(self._actor.role, Action.READ_TASK)
        if Reach.ANY in reaches:
            return true()
        mine = {Reach.OWN: TaskRow.owner_id, Reach.ASSIGNED: TaskRow.assignee_id}
        conditions = [column == self._actor.user_id for own, column in mine.items() if own in reaches]
        return or_(false(), *conditions)


@dataclass(frozen=True, slots=True)
class _Key:
    """What an order sorts by, and how a row's value is written into a cursor and read back.

    `due` is the form of the due date that its filter asks for: the one that the order's own index holds.
    """

    column: Any
    write: Callable[[TaskRow], str | None]
    read: Callable[[PageCursor], ColumnElement[Any]]
    due: ColumnElement[Any] = _DUE_OR_LATEST


def _behind(key: _Key, order: TaskOrder, cursor: PageCursor) -> ColumnElement[bool]:
    if cursor.order != order.value:
        raise BadRequest(NOT_OURS)
    place = tuple_(key.read(cursor), literal(cursor.id, TaskRow.id.type))
    here = tuple_(key.column, TaskRow.id)
    return here < place if order.descending else here > place


def _conditions(wanted: TaskFilter, due: ColumnElement[Any] = _DUE_OR_LATEST) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.status is not None:
        found.append(TaskRow.status.in_(wanted.status))
    if wanted.priority is not None:
        found.append(TaskRow.priority.in_(wanted.priority))
    if wanted.owner_id is not None:
        found.append(TaskRow.owner_id == wanted.owner_id)
    if wanted.assignee_id is not None:
        found.append(TaskRow.assignee_id == wanted.assignee_id)
    if wanted.search is not None:
        found.append(_contains(check_search(wanted.search)))
    return found + _due_between(wanted, due)


def _due_between(wanted: TaskFilter, due: ColumnElement[Any]) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.due_after is not None:
        found.append(due >= check_due_bound(wanted.due_after, field="dueAfter"))
    if wanted.due_before is not None:
        found.append(due < check_due_bound(wanted.due_before, field="dueBefore"))
    # Tasks without a due date have the farthest one in the index; this is how to leave them out by it.
    return [due < _LATEST, due > _EARLIEST, *found] if found else []


def _contains(text: str) -> ColumnElement[bool]:
    pattern = f"%{text.translate(_ESCAPES)}%"
    return or_(TaskRow.title.ilike(pattern, escape="\\"), TaskRow.description.ilike(pattern, escape="\\"))


def _read_instant(cursor: PageCursor) -> ColumnElement[Any]:
    return literal(cursor.instant(), TaskRow.created_at.type)


def _read_due(none: ColumnElement[Any]) -> Callable[[PageCursor], ColumnElement[Any]]:
    return lambda cursor: none if cursor.value is None else _read_instant(cursor)


def _read_priority(cursor: PageCursor) -> ColumnElement[Any]:
    try:
        return literal(TaskPriority(int(cursor.value or "")), TaskRow.priority.type)
    except ValueError as error:
        raise BadRequest(NOT_OURS) from error


def _due(row: TaskRow) -> str | None:
    return row.due_at.isoformat() if row.due_at is not None else None


_CREATED: Final = _Key(TaskRow.created_at, lambda row: row.created_at.isoformat(), _read_instant)
_UPDATED: Final = _Key(TaskRow.updated_at, lambda row: row.updated_at.isoformat(), _read_instant)
_PRIORITY: Final = _Key(TaskRow.priority, lambda row: str(int(row.priority)), _read_priority)
_KEYS: Final[Mapping[TaskOrder, _Key]] = {
    TaskOrder.CREATED_ASC: _CREATED,
    TaskOrder.CREATED_DESC: _CREATED,
    TaskOrder.UPDATED_ASC: _UPDATED,
    TaskOrder.UPDATED_DESC: _UPDATED,
    TaskOrder.DUE_ASC: _Key(_DUE_OR_LATEST, _due, _read_due(_LATEST)),
    TaskOrder.DUE_DESC: _Key(_DUE_OR_EARLIEST, _due, _read_due(_EARLIEST), due=_DUE_OR_EARLIEST),
    TaskOrder.PRIORITY_ASC: _PRIORITY,
    TaskOrder.PRIORITY_DESC: _PRIORITY,
}
