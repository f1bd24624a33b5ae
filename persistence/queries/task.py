"""Queries for tasks by id or key, their scans and their number.

The statement depends on the tasks that the actor's role may read. `task_page.py` has the pages of lists.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, FromClause, Integer, Select, String, Uuid, any_, bindparam, func, select

from domain.actor import Actor
from domain.errors import BadRequest
from domain.policy import Reach
from domain.rank import check_rank
from persistence.models import ProjectKeyRow, TaskKeyRow, TaskRow
from persistence.queries.child_list import ChildList
from persistence.queries.joins import Referenced, References, joined, user_in
from persistence.queries.parent import Reaches
from persistence.queries.project_visibility import any_project
from persistence.queries.query import Query
from persistence.queries.task_list import TaskFilter, conditions
from persistence.queries.task_visibility import is_member_of_project, listed, reaches_of, values_of, visible


def any_task(name: str) -> FromClause:
    """All tasks, with the columns of `VisibleTaskRow`. They are for rows whose readers may read the task."""
    project = any_project("project_of_task")
    found = _TASKS.outerjoin(project, project.c.id == _TASKS.c.project_id)
    own = [project.c[column.partition(".")[2]].label(name) for name, column in OF_PROJECT.items()]
    return select(*_TASKS.c, *own).select_from(found).subquery(name)


_TASKS: Final[FromClause] = TaskRow.__table__
OF_PROJECT: Final[Mapping[str, str]] = {
    "project_key": "project.key",
    "project_is_archived": "project.is_archived",
    "viewer_role": "project.viewer_role",
}
"""The columns of `VisibleTaskRow` that the task's project has."""
REFERENCES_OF_A_TASK: Final[References] = {
    "owner": user_in("owner_id"),
    "assignee": user_in("assignee_id"),
    "project": Referenced("project_id", any_project),
    "parent": Referenced("parent_id", any_task, within="project_id"),
}
SUBTASKS: Final = ChildList(
    order="task.subtasks",
    parent_id=TaskRow.parent_id,
    place=TaskRow.rank,
    columns=dict(TaskRow.__table__.c),
    references=REFERENCES_OF_A_TASK,
    read_place=check_rank,
    of_references=OF_PROJECT,
)
"""The subtasks of a task, in their manual order."""

_GREATEST: Final = 2**63 - 1  # the largest number for OFFSET and LIMIT
_GREATEST_NUMBER: Final = 2**31 - 1  # of a task
_KEY: Final = re.compile(r"(?P<key>[A-Z0-9]+)-(?P<number>[0-9]{1,10})")


@dataclass(frozen=True, slots=True)
class TaskById:
    """One task, if the actor may read it. Parameters: `id`, `actor_id`."""

    reaches: Reaches

    def select(self, columns: Sequence[str]) -> Select[Any]:
        """The statement."""
        return _tasks(columns).where(TaskRow.id == bindparam("id", type_=Uuid()), visible(self.reaches))


@dataclass(frozen=True, slots=True)
class TaskByKey:
    """The task that has or had a number in the project that has or had a key, if the actor may read it.

    Parameters: `key`, `number`, `actor_id`.
    """

    reaches: Reaches

    def select(self, columns: Sequence[str]) -> Select[Any]:
        """The statement."""
        project_id = select(ProjectKeyRow.project_id).where(ProjectKeyRow.key == bindparam("key", type_=String()))
        number = bindparam("number", type_=Integer())
        current = (TaskRow.project_id == project_id.scalar_subquery()) & (TaskRow.number == number)
        earlier = select(TaskKeyRow.task_id).where(
            TaskKeyRow.project_id == project_id.scalar_subquery(), TaskKeyRow.number == number
        )
        found = current | (TaskRow.id == earlier.scalar_subquery())
        return _tasks(columns).where(found, visible(self.reaches))


@dataclass(frozen=True, slots=True)
class TasksById:
    """Those of several tasks that the actor may read, in no order. Parameters: `ids`, `actor_id`."""

    reaches: Reaches

    def select(self, columns: Sequence[str]) -> Select[Any]:
        """The statement."""
        # One array and not a list of parameters: the prepared statement is the same for any number of ids.
        wanted = TaskRow.id == any_(bindparam("ids", type_=ARRAY(Uuid())))
        return _tasks(columns).where(wanted, visible(self.reaches))


@dataclass(frozen=True, slots=True)
class TaskSlice:
    """The `listed` tasks by age, the oldest first, from an offset. Parameters: `skip`, `limit`, `actor_id`."""

    reaches: Reaches

    def select(self, columns: Sequence[str]) -> Select[Any]:
        """The statement."""
        query = _tasks(columns).where(listed(self.reaches))
        by_age = query.order_by(TaskRow.created_at, TaskRow.id)
        return by_age.offset(bindparam("skip", type_=BigInteger())).limit(bindparam("limit", type_=BigInteger()))


@dataclass(frozen=True, slots=True)
class TaskScan:
    """Tasks in the order of their ids, from the first or after an id: either subtasks, or all others.

    Parameters: `limit`, `actor_id`, `last`.
    """

    reaches: Reaches
    is_behind: bool
    of_subtasks: bool

    def select(self, columns: Sequence[str]) -> Select[Any]:
        """The statement."""
        is_subtask = TaskRow.parent_id.is_not(None) if self.of_subtasks else TaskRow.parent_id.is_(None)
        query = _tasks(columns).where(visible(self.reaches), is_subtask)
        if self.is_behind:
            query = query.where(TaskRow.id > bindparam("last", type_=Uuid()))
        return query.order_by(TaskRow.id).limit(bindparam("limit", type_=Integer()))


@dataclass(frozen=True, slots=True)
class TaskCount:
    """The number of tasks that match a filter. Parameters: `actor_id`, and the values of the filter."""

    reaches: Reaches
    given: frozenset[str]

    def select(self, columns: Sequence[str] = ()) -> Select[Any]:
        """The statement; its result is one row with one number."""
        # The tasks of one project are counted in an index. The condition for any task would read the row of each.
        in_project = "project_id" in self.given and Reach.ANY not in self.reaches
        is_visible = is_member_of_project(self.reaches) if in_project else visible(self.reaches)
        return select(func.count()).select_from(TaskRow).where(is_visible, *conditions(self.given))


def task(actor: Actor | None, task_id: UUID) -> Query:
    """One task."""
    return Query(_task_by_id(reaches_of(actor)), {"id": task_id, **values_of(actor)})


@cache
def _task_by_id(reaches: Reaches) -> TaskById:
    return TaskById(reaches)


def task_by_key(actor: Actor | None, key: str) -> Query:
    """The task with this key, such as WEB-12, ignoring case. It may be a key that the task had before."""
    found = _KEY.fullmatch(key.strip().upper()) if key.isascii() else None
    number = int(found["number"]) if found is not None else 0  # which no task has
    values = {"key": found["key"] if found is not None else "", "number": min(number, _GREATEST_NUMBER)}
    return Query(TaskByKey(reaches_of(actor)), {**values, **values_of(actor)})


def tasks(actor: Actor | None, ids: Collection[UUID]) -> Query:
    """Several tasks."""
    return Query(TasksById(reaches_of(actor)), {"ids": list(ids), **values_of(actor)})


def task_slice(actor: Actor | None, *, skip: int, limit: int) -> Query:
    """Tasks from an offset.

    Raises:
        BadRequest: a number is negative.
    """
    if skip < 0 or limit < 0:
        raise BadRequest("skip and limit must not be negative.")
    values = {"skip": min(skip, _GREATEST), "limit": min(limit, _GREATEST), **values_of(actor)}
    return Query(TaskSlice(reaches_of(actor)), values)


def task_scan(actor: Actor | None, last: UUID | None, *, of_subtasks: bool, at_most: int) -> Query:
    """The next tasks of a scan through all subtasks, or through all other tasks."""
    rows = TaskScan(reaches_of(actor), last is not None, of_subtasks)
    return Query(rows, {**values_of(actor), "limit": at_most, "last": last})


def task_count(actor: Actor | None, wanted: TaskFilter) -> Query:
    """The number of tasks that match.

    Raises:
        BadRequest: the filter breaks a limit.
    """
    given = wanted.values()
    return Query(TaskCount(reaches_of(actor), frozenset(given)), {**values_of(actor), **given})


def stored(columns: Sequence[str]) -> list[str]:
    """The columns that `joined` selects for these columns of `VisibleTaskRow`."""
    return [OF_PROJECT.get(name, name) for name in columns]


def _tasks(columns: Sequence[str]) -> Select[Any]:
    """These columns of all tasks, and of what they reference."""
    return joined(_TASKS, stored(columns), REFERENCES_OF_A_TASK)
