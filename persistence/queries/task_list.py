"""Filters and orders of task lists, and their SQL conditions.

A condition has named parameters and no values: the statement depends only on which filters are given.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    DateTime,
    SmallInteger,
    String,
    Uuid,
    and_,
    any_,
    bindparam,
    false,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy.types import TypeEngine

from domain.errors import BadRequest
from domain.rank import check_rank
from domain.task import TaskPriority, TaskStatus, check_due_bound, check_search
from persistence.models import SEARCH_KEYS, LabelRow, TaskRow, TaskTextRow, search_keys
from persistence.pagination import NOT_OURS, PageCursor, page_cursor
from persistence.queries.keyset import Bound, Keyset

_INSTANT: Final = DateTime(timezone=True)
_ESCAPES: Final = str.maketrans({"%": r"\%", "_": r"\_", "\\": r"\\"})
_EARLIEST: Final[ColumnElement[Any]] = literal_column("'-infinity'::timestamptz")
_LATEST: Final[ColumnElement[Any]] = literal_column("'infinity'::timestamptz")
_DUE_OR_LATEST: Final = func.coalesce(TaskRow.due_at, _LATEST)
_DUE_OR_EARLIEST: Final = func.coalesce(TaskRow.due_at, _EARLIEST)


FEW: Final = frozenset({"label_ids", "search"})
"""The filters that match few tasks of a project, and have an index of their own."""
_IDS: Final = ("owner_id", "assignee_id", "project_id", "parent_id")
"""The filters by one id: the name of the filter is that of the column."""


_PATTERN: Final = bindparam("search", type_=String())
_SEARCHED_TEXT: Final = bindparam("searched_text", type_=String())
_PROJECT_ID: Final = bindparam("project_id", type_=Uuid())
_LABEL_IDS: Final = bindparam("label_ids", type_=ARRAY(Uuid()))


class TaskOrder(StrEnum):
    """The orders of a task list; rows with equal values are ordered by id, in the same direction.

    RANK is the manual order of a project.
    """

    CREATED_ASC = "CREATED_ASC"
    CREATED_DESC = "CREATED_DESC"
    UPDATED_ASC = "UPDATED_ASC"
    UPDATED_DESC = "UPDATED_DESC"
    DUE_ASC = "DUE_ASC"
    DUE_DESC = "DUE_DESC"
    PRIORITY_ASC = "PRIORITY_ASC"
    PRIORITY_DESC = "PRIORITY_DESC"
    RANK = "RANK"

    @property
    def descending(self) -> bool:
        """Whether the largest value comes first."""
        return self.value.endswith("_DESC")


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """A filter: AND between fields, OR within a list. None matches all tasks, an empty list matches none.

    Due dates are at or after `due_after` and before `due_before`. `search` is a text in the title or the description,
    ignoring case, of at least three characters. `parent_id` selects the subtasks of a task, and `is_subtask` all
    subtasks, or all other tasks.
    """

    status: tuple[TaskStatus, ...] | None = None
    priority: tuple[TaskPriority, ...] | None = None
    owner_id: UUID | None = None
    assignee_id: UUID | None = None
    due_after: datetime | None = None
    due_before: datetime | None = None
    search: str | None = None
    project_id: UUID | None = None
    label_ids: tuple[UUID, ...] | None = None
    parent_id: UUID | None = None
    is_subtask: bool | None = None

    def values(self) -> dict[str, Any]:
        """The given values, by the names of their conditions.

        Raises:
            BadRequest: the filter breaks a limit.
        """
        found: dict[str, Any] = {}
        if self.status is not None:
            _choose(found, "status", "statuses", self.status)
        if self.priority is not None:
            _choose(found, "priority", "priorities", self.priority)
        ids = {name: getattr(self, name) for name in _IDS}
        found |= {name: value for name, value in ids.items() if value is not None}
        if self.is_subtask is not None:
            found["subtasks" if self.is_subtask else "no_subtasks"] = None
        if self.label_ids is not None:
            found["label_ids"] = list(self.label_ids)
        if self.search is not None:
            found["searched_text"] = text = check_search(self.search)
            found["search"] = f"%{text.translate(_ESCAPES)}%"
        if self.due_after is not None:
            found["due_after"] = check_due_bound(self.due_after, field="dueAfter")
        if self.due_before is not None:
            found["due_before"] = check_due_bound(self.due_before, field="dueBefore")
        return found


EVERYTHING: Final = TaskFilter()


@dataclass(frozen=True, slots=True)
class TaskKey:
    """The sort key of an order, and how its value is written to a cursor and read back.

    `shown` is the column of the row. `null` is the value in `column` for rows without a value. `due` is the expression
    for filters by due date: the one that the order's index has.
    """

    column: ColumnElement[Any]
    shown: Any
    write: Callable[[Any], str | None]
    read: Callable[[PageCursor], Any]
    type: TypeEngine[Any]
    null: ColumnElement[Any] | None = None
    due: ColumnElement[Any] = _DUE_OR_LATEST

    def of(self, row: TaskRow) -> Any:
        """A row's value."""
        return getattr(row, self.shown.key)

    def cursor_of(self, order: TaskOrder) -> Callable[[Any, UUID], str]:
        """The function that writes a cursor of this order, for a row's value and its id."""
        name, write = order.value, self.write
        return lambda value, identity: page_cursor(name, write(value), identity)

    def keyset(self, *, descending: bool) -> Keyset:
        """The order by this key."""
        return Keyset(self.column, TaskRow.id, self.type, descending, self.null)

    def bound(self, cursor: PageCursor | None) -> Bound:
        """The kind of bound that a cursor is.

        Raises:
            BadRequest: the cursor was not made by this API.
        """
        if cursor is None:
            return Bound.OPEN
        if cursor.value is not None:
            return Bound.VALUE
        if self.null is None:
            raise BadRequest(NOT_OURS)
        return Bound.NULL

    def values(self, name: str, cursor: PageCursor | None) -> dict[str, Any]:
        """The values of a cursor's parameters.

        Raises:
            BadRequest: the cursor was not made by this API.
        """
        if cursor is None:
            return {}
        if cursor.value is None:
            return {f"{name}_id": cursor.id}
        return {name: self.read(cursor), f"{name}_id": cursor.id}


def conditions(given: Collection[str], due: ColumnElement[Any] = _DUE_OR_LATEST) -> list[ColumnElement[bool]]:
    """The conditions with these names."""
    wanted = _CONDITIONS
    if "project_id" in given and not FEW.isdisjoint(given):
        wanted = {**_CONDITIONS, **_WITH_FEW}
    found = [condition for name, condition in wanted.items() if name in given]
    bounds: list[ColumnElement[bool]] = []
    if "due_after" in given:
        bounds.append(due >= bindparam("due_after", type_=_INSTANT))
    if "due_before" in given:
        bounds.append(due < bindparam("due_before", type_=_INSTANT))
    # In the index, tasks without a due date have an infinite one. These conditions exclude them with the index.
    return [*found, due < _LATEST, due > _EARLIEST, *bounds] if bounds else found


def conditions_on_row(given: Collection[str], due: ColumnElement[Any]) -> list[ColumnElement[bool]]:
    """The conditions with these names, for rows that are found without them; that of the project is left out."""
    found = conditions(frozenset(given) - FEW - {"project_id"}, due)
    if "label_ids" in given:
        of_project = [_OF_PROJECT] if "project_id" in given else []
        found.append(TaskRow.label_ids.bool_op("&&")(_existing_labels(*of_project)))
    if "search" in given:
        # With OFFSET 0, PostgreSQL reads the text of each row, and not all texts that match.
        text = select(TaskTextRow.task_id).where(TaskTextRow.task_id == TaskRow.id, matches_search(TaskTextRow))
        found.append(text.offset(literal_column("0")).exists())
    return found


def matches_search(texts: Any) -> ColumnElement[bool]:
    """The condition for texts that contain the searched one. One plan is for all of these."""
    return _matches(texts, _unknown_to_the_planner(_PATTERN))


def _choose(found: dict[str, Any], one: str, many: str, values: Collection[Any]) -> None:
    # A single value is compared with =, so that an index can give the rows in the list's order.
    if len(values) == 1:
        (found[one],) = values
    elif values:
        found[many] = list(values)
    else:
        found["nothing"] = None


def _contains() -> ColumnElement[bool]:
    return TaskRow.id.in_(select(TaskTextRow.task_id).where(_matches(TaskTextRow, _PATTERN)))


def _contains_in_project() -> ColumnElement[bool]:
    # The keys of a project's texts are separate from those of all others, so that the search reads nothing else. With
    # OFFSET 0, PostgreSQL compares only the texts that it found with the pattern, and does not use the trigrams.
    keys = select(search_keys(_PROJECT_ID, _unknown_to_the_planner(_SEARCHED_TEXT))).scalar_subquery()
    found = select(TaskTextRow.task_id, TaskTextRow.title, TaskTextRow.description).offset(literal_column("0"))
    found = found.where(TaskTextRow.project_id.is_not(None), SEARCH_KEYS.bool_op("@>")(keys))
    texts = found.subquery()
    return TaskRow.id.in_(select(texts.c.task_id).where(matches_search(texts.c)))


def _unknown_to_the_planner(value: Any) -> Any:
    # PostgreSQL does not know the values of subselects when it plans. Otherwise it would plan for the values of each
    # request, which takes longer than the execution.
    return select(value).scalar_subquery()


def _matches(texts: Any, pattern: Any) -> ColumnElement[bool]:
    return or_(*(text.ilike(pattern, escape="\\") for text in (texts.title, texts.description)))


def _has_label(ids: Any) -> ColumnElement[bool]:
    # The first part lets PostgreSQL use the index, which has no tasks without labels.
    return and_(TaskRow.label_ids != literal_column("'{}'::uuid[]"), TaskRow.label_ids.bool_op("&&")(ids))


def _existing_labels(*also: ColumnElement[bool]) -> ColumnElement[Any]:
    # A task may still have the id of a label that was deleted.
    chosen = select(LabelRow.id).where(*also, LabelRow.id == any_(_LABEL_IDS))
    return func.array(chosen.scalar_subquery(), type_=ARRAY(Uuid()))


_OF_PROJECT: Final = LabelRow.project_id == _PROJECT_ID


_CONDITIONS: Final[Mapping[str, ColumnElement[bool]]] = {
    "status": TaskRow.status == bindparam("status", type_=String()),
    "statuses": TaskRow.status == any_(bindparam("statuses", type_=ARRAY(String()))),
    "priority": TaskRow.priority == bindparam("priority", type_=SmallInteger()),
    "priorities": TaskRow.priority == any_(bindparam("priorities", type_=ARRAY(SmallInteger()))),
    "owner_id": TaskRow.owner_id == bindparam("owner_id", type_=Uuid()),
    "assignee_id": TaskRow.assignee_id == bindparam("assignee_id", type_=Uuid()),
    "project_id": TaskRow.project_id == bindparam("project_id", type_=Uuid()),
    "parent_id": TaskRow.parent_id == bindparam("parent_id", type_=Uuid()),
    "subtasks": TaskRow.parent_id.is_not(None),
    "no_subtasks": TaskRow.parent_id.is_(None),
    "label_ids": _has_label(_existing_labels()),
    "search": _contains(),
    "nothing": false(),
}
_WITH_FEW: Final[Mapping[str, ColumnElement[bool]]] = {
    # There is no index for this comparison. With one, PostgreSQL would also read all tasks of the project.
    "project_id": TaskRow.project_id.is_not_distinct_from(_PROJECT_ID),
    "label_ids": _has_label(_existing_labels(_OF_PROJECT)),
    "search": _contains_in_project(),
}
"""The conditions that differ in the list of a project if another filter matches few of its tasks."""


def _write_instant(value: datetime | None) -> str | None:
    return value.isoformat() if value is not None else None


def _write_priority(value: int) -> str:
    return str(int(value))


def _read_priority(cursor: PageCursor) -> TaskPriority:
    try:
        return TaskPriority(int(cursor.value or ""))
    except ValueError as error:
        raise BadRequest(NOT_OURS) from error


def _read_rank(cursor: PageCursor) -> str:
    try:
        return check_rank(cursor.value or "")
    except ValueError as error:
        raise BadRequest(NOT_OURS) from error


def _due(column: ColumnElement[Any], null: ColumnElement[Any]) -> TaskKey:
    return TaskKey(column, TaskRow.due_at, _write_instant, PageCursor.instant, _INSTANT, null, column)


def _instant(column: Any) -> TaskKey:
    return TaskKey(column, column, _write_instant, PageCursor.instant, _INSTANT)


_CREATED: Final = _instant(TaskRow.created_at)
_UPDATED: Final = _instant(TaskRow.updated_at)
_PRIORITY_COLUMN: Final[Any] = TaskRow.priority
_PRIORITY: Final = TaskKey(_PRIORITY_COLUMN, _PRIORITY_COLUMN, _write_priority, _read_priority, SmallInteger())
_RANK_COLUMN: Final[Any] = TaskRow.rank
KEYS: Final[Mapping[TaskOrder, TaskKey]] = {
    TaskOrder.CREATED_ASC: _CREATED,
    TaskOrder.CREATED_DESC: _CREATED,
    TaskOrder.UPDATED_ASC: _UPDATED,
    TaskOrder.UPDATED_DESC: _UPDATED,
    TaskOrder.DUE_ASC: _due(_DUE_OR_LATEST, _LATEST),
    TaskOrder.DUE_DESC: _due(_DUE_OR_EARLIEST, _EARLIEST),
    TaskOrder.PRIORITY_ASC: _PRIORITY,
    TaskOrder.PRIORITY_DESC: _PRIORITY,
    TaskOrder.RANK: TaskKey(_RANK_COLUMN, _RANK_COLUMN, str, _read_rank, String()),
}
