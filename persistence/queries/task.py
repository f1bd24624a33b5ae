"""Queries for tasks. The statement depends on the tasks that the actor's role may read."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    BindParameter,
    Column,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    String,
    Uuid,
    any_,
    bindparam,
    func,
    literal_column,
    select,
    true,
    union_all,
)
from sqlalchemy.sql.util import ClauseAdapter
from sqlalchemy.sql.visitors import iterate

from domain.actor import Actor
from domain.errors import BadRequest
from domain.policy import Reach
from domain.rank import check_rank
from persistence.models import ProjectKeyRow, TaskKeyRow, TaskRow
from persistence.pagination import MAX_FIRST, NOT_OURS, PageRequest
from persistence.queries.child_list import ChildList
from persistence.queries.joins import Referenced, References, joined, own_columns, user_in
from persistence.queries.keyset import Keyset, Window, ordered
from persistence.queries.page_facts import ONE, Known, facts_of, is_any
from persistence.queries.parent import Reaches
from persistence.queries.project_visibility import any_project, projects_of_member
from persistence.queries.query import Paged, Query
from persistence.queries.task_list import FEW, KEYS, TaskFilter, TaskOrder, conditions, conditions_on_row
from persistence.queries.task_visibility import (
    id_of,
    in_project_of_member,
    is_member_of_project,
    listed,
    personal_parts,
    reaches_of,
    visible,
)


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
_LIMITS: Final = (21, 51, MAX_FIRST + 1)
_FIRST: Final[ColumnElement[int]] = literal_column("300")
"""So many tasks of a project are searched for a label, before its index is used."""
_ZERO: Final[ColumnElement[int]] = literal_column("0")
_KEY: Final = re.compile(r"(?P<key>[A-Z0-9]+)-(?P<number>[0-9]{1,10})")
_SPARSE: Final = FEW | {"owner_id", "assignee_id", "parent_id"}
"""Filters that have an index of their own and usually match few tasks."""
_INDEXED: Final = frozenset({TaskOrder.CREATED_ASC, TaskOrder.CREATED_DESC, TaskOrder.RANK})
"""The orders for which projects have an index."""


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
class TaskPage:
    """A page of tasks. Parameters: `limit`, `actor_id`, the values of the cursors and of the filter.

    The rows start at the end from which the page is taken. After the requested columns each row has the facts, the sort
    value, and the id. An empty page with facts is one row without a task.
    """

    reaches: Reaches
    order: TaskOrder
    given: frozenset[str]
    window: Window
    facts: tuple[str, ...]
    at_most: int
    """One of `_LIMITS`: the rows of each branch, at least as many as the page has."""
    is_of_actor: bool
    """Whether the filter demands the actor as owner or as assignee."""

    def select(self, columns: Sequence[str]) -> Select[Any]:
        """The statement."""
        columns, descending = _stored(columns), self.order.descending is not self.window.backward
        found = self._found(
            own_columns(columns, REFERENCES_OF_A_TASK),
            self._keyset.inside(self.window),
            descending=descending,
            limit=_limit(),
        )
        page = found.subquery("page")
        facts = self._facts().subquery("facts") if self.facts else None
        query = joined(page, columns, REFERENCES_OF_A_TASK, facts=facts)
        query = query.add_columns(page.c.place, page.c.id.label("place_id"))
        return query.order_by(*ordered(page.c.sort, page.c.id, descending=descending))

    def _facts(self) -> Select[Any]:
        known: Known = {"total": self._total, "earlier": self._is_any_earlier, "later": self._is_any_later}
        return facts_of(self.facts, known)

    @property
    def _keyset(self) -> Keyset:
        return KEYS[self.order].keyset(descending=self.order.descending)

    def _total(self) -> ColumnElement[int]:
        return TaskCount(self.reaches, self.given).select().scalar_subquery()

    def _is_any_earlier(self) -> ColumnElement[bool]:
        return self._is_any("after_id", self._keyset.earlier(self.window), descending=not self.order.descending)

    def _is_any_later(self) -> ColumnElement[bool]:
        return self._is_any("before_id", self._keyset.later(self.window), descending=self.order.descending)

    def _is_any(self, cursor: str, place: ColumnElement[bool], *, descending: bool) -> ColumnElement[bool]:
        # The task of the cursor usually still exists, and is found quickly by its id.
        wanted = (visible(self.reaches), *conditions(self.given, KEYS[self.order].due))
        own = select(TaskRow.id).where(TaskRow.id == bindparam(cursor, type_=Uuid()), place, *wanted)
        nearest = self._found(["id"], [place], descending=descending, limit=ONE).subquery()
        return is_any(own, select(nearest.c.id))

    def _found(
        self, columns: Sequence[str], place: Sequence[ColumnElement[bool]], *, descending: bool, limit: Any
    ) -> Select[Any]:
        # With constant limits PostgreSQL knows that a branch is cheap for every user. It then plans the statement once,
        # and not for each request.
        constant = limit if limit is ONE else literal_column(str(self.at_most))
        branches = [each.subquery() for each in self._branches(_Part(columns, place, descending, constant))]
        found = branches[0] if len(branches) == 1 else union_all(*map(select, branches)).subquery()
        return select(found).order_by(*ordered(found.c.sort, found.c.id, descending=descending)).limit(limit)

    def _branches(self, part: "_Part") -> Sequence[Select[Any]]:
        """The parts of the list. Each uses an index, usually one in the list's order.

        A single query with OR would sort all tasks of the user, or scan the tasks of all users.
        """
        if "project_id" in self.given:
            membership = [] if Reach.ANY in self.reaches else [is_member_of_project(self.reaches)]
            if FEW.isdisjoint(self.given):
                return [self._branch(part, *membership, sorts=self.order not in _INDEXED)]
            few = self._branch(part, *membership, sorts=True)
            # A text is not compared with the first tasks: that takes longer than the index if the texts are long.
            is_by_label = "search" not in self.given and self.order in _INDEXED
            return self._first_or_few(part, membership, few) if is_by_label else [few]
        if Reach.ANY in self.reaches:
            return [self._branch(part)]
        if self.is_of_actor:
            # The index of the owner or of the assignee has these tasks in the list's order, and nearly all are visible.
            return [self._branch(part, visible(self.reaches))]
        personal = [self._branch(part, mine) for mine in personal_parts(self.reaches)]
        return [*personal, self._in_projects(part)]

    def _first_or_few(
        self, part: "_Part", membership: Sequence[ColumnElement[bool]], few: Select[Any]
    ) -> Sequence[Select[Any]]:
        """The matches among the first tasks of a project, if these are enough for the page; else those of *few*.

        A label that many tasks have is found in the list's order; one that few have, by its index.
        """
        key = KEYS[self.order]
        filters = conditions_on_row(self.given, key.due)
        columns = dict.fromkeys([*part.columns, *_columns_in(filters)])
        in_project = TaskRow.project_id == bindparam("project_id", type_=Uuid())
        rows = self._rows(list(columns)).where(*membership, in_project, *part.place)
        in_order = ordered(key.column, TaskRow.id, descending=part.descending)
        first = rows.order_by(*in_order).limit(_FIRST).cte()
        found = select(*(first.c[name] for name in (*part.columns, "sort", "place")))
        found = found.where(*(ClauseAdapter(first).traverse(each) for each in filters))
        page = found.order_by(*ordered(first.c.sort, first.c.id, descending=part.descending)).limit(part.limit).cte()
        are_enough = (_count(page) >= part.limit) | (_count(first) < _FIRST)
        others = few.subquery()
        return [select(page).where(are_enough), select(others).where(~are_enough)]

    def _in_projects(self, part: "_Part") -> Select[Any]:
        """The tasks of the actor's projects: the first ones of each project, or of all that an index finds."""
        if _SPARSE & self.given:
            return self._branch(part, in_project_of_member(self.reaches))
        projects = func.unnest(projects_of_member(self.reaches)).table_valued("id", name="of_member").render_derived()
        in_project = TaskRow.project_id == projects.c.id
        # Only ids are read and sorted for each project, and the other columns for the page.
        ids = replace(part, columns=["id"])
        found = self._branch(ids, in_project, sorts=self.order not in _INDEXED, beside=(projects,))
        each = found.correlate(projects).lateral()
        first = select(each.c.id).select_from(projects.join(each, true())).limit(part.limit)
        page = first.order_by(*ordered(each.c.sort, each.c.id, descending=part.descending)).subquery()
        return self._rows(part.columns).select_from(page.join(_TASKS, TaskRow.id == page.c.id))

    def _branch(
        self, part: "_Part", *wanted: ColumnElement[bool], sorts: bool = False, beside: Sequence[FromClause] = ()
    ) -> Select[Any]:
        """The first tasks of a part of the list. With *sorts*, all tasks of the part are read and sorted."""
        key = KEYS[self.order]
        query = self._rows(part.columns).where(*wanted, *part.place, *conditions(self.given, key.due))
        if sorts:
            # With OFFSET 0, PostgreSQL finds the tasks by the other conditions. Otherwise it may follow the index of
            # this order through the tasks of all projects, because it does not know that the part has few.
            rows = query.offset(_ZERO).correlate(*beside).subquery()
            in_order = ordered(rows.c.sort, rows.c.id, descending=part.descending)
            return select(rows).order_by(*in_order).limit(part.limit)
        return query.order_by(*ordered(key.column, TaskRow.id, descending=part.descending)).limit(part.limit)

    def _rows(self, columns: Sequence[str]) -> Select[Any]:
        """These columns of all tasks, and the key of the order."""
        key, own = KEYS[self.order], [_TASKS.c[name] for name in columns]
        return select(*own, key.column.label("sort"), key.shown.label("place"))


@dataclass(frozen=True, slots=True)
class _Part:
    """What the branches of a list have in common: columns, the place in the order, and the number of rows."""

    columns: Sequence[str]
    place: Sequence[ColumnElement[bool]]
    descending: bool
    limit: Any


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
        return query.order_by(TaskRow.id).limit(_limit())


@dataclass(frozen=True, slots=True)
class TaskCount:
    """The number of tasks that match a filter. Parameters: `actor_id`, and the values of the filter."""

    reaches: Reaches
    given: frozenset[str]

    def select(self, columns: Sequence[str] = ()) -> Select[Any]:
        """The statement; its result is one row with one number."""
        return select(func.count()).select_from(TaskRow).where(visible(self.reaches), *conditions(self.given))


def task(actor: Actor | None, task_id: UUID) -> Query:
    """One task."""
    return Query(_task_by_id(reaches_of(actor)), {"id": task_id, "actor_id": id_of(actor)})


@cache
def _task_by_id(reaches: Reaches) -> TaskById:
    return TaskById(reaches)


def task_by_key(actor: Actor | None, key: str) -> Query:
    """The task with this key, such as WEB-12, ignoring case. It may be a key that the task had before."""
    found = _KEY.fullmatch(key.strip().upper()) if key.isascii() else None
    number = int(found["number"]) if found is not None else 0  # which no task has
    values = {"key": found["key"] if found is not None else "", "number": min(number, _GREATEST_NUMBER)}
    return Query(TaskByKey(reaches_of(actor)), {**values, "actor_id": id_of(actor)})


def tasks(actor: Actor | None, ids: Collection[UUID]) -> Query:
    """Several tasks."""
    return Query(TasksById(reaches_of(actor)), {"ids": list(ids), "actor_id": id_of(actor)})


def task_page(actor: Actor | None, request: PageRequest, wanted: TaskFilter, order: TaskOrder) -> Paged:
    """A page, and one more task, to find out whether there is a next page.

    Raises:
        BadRequest: a cursor belongs to another ordering, or the filter breaks a limit or does not fit the order.
    """
    key, given = KEYS[order], wanted.values()
    if order is TaskOrder.RANK and wanted.project_id is None:
        raise BadRequest("Each project has its own manual order: orderBy RANK needs a projectId in the filter.")
    values = {"actor_id": id_of(actor), "limit": request.limit, **given}
    for name, cursor in (("after", request.after), ("before", request.before)):
        if cursor is not None and cursor.order != order.value:
            raise BadRequest(NOT_OURS)
        values |= key.values(name, cursor)
    window = Window(key.bound(request.after), key.bound(request.before), request.backward)
    at_most = next(each for each in _LIMITS if each >= request.limit)
    is_of_actor = actor is not None and actor.user_id in (wanted.owner_id, wanted.assignee_id)
    rows = TaskPage(reaches_of(actor), order, frozenset(given), window, request.facts, at_most, is_of_actor)
    return Paged(Query(rows, values), request, key.cursor_of(order))


def task_slice(actor: Actor | None, *, skip: int, limit: int) -> Query:
    """Tasks from an offset.

    Raises:
        BadRequest: a number is negative.
    """
    if skip < 0 or limit < 0:
        raise BadRequest("skip and limit must not be negative.")
    values = {"skip": min(skip, _GREATEST), "limit": min(limit, _GREATEST), "actor_id": id_of(actor)}
    return Query(TaskSlice(reaches_of(actor)), values)


def task_scan(actor: Actor | None, last: UUID | None, *, of_subtasks: bool, at_most: int) -> Query:
    """The next tasks of a scan through all subtasks, or through all other tasks."""
    rows = TaskScan(reaches_of(actor), last is not None, of_subtasks)
    return Query(rows, {"actor_id": id_of(actor), "limit": at_most, "last": last})


def task_count(actor: Actor | None, wanted: TaskFilter) -> Query:
    """The number of tasks that match.

    Raises:
        BadRequest: the filter breaks a limit.
    """
    given = wanted.values()
    return Query(TaskCount(reaches_of(actor), frozenset(given)), {"actor_id": id_of(actor), **given})


def _columns_in(filters: Sequence[ColumnElement[bool]]) -> set[str]:
    """The columns of tasks that the filters use."""
    elements = (element for each in filters for element in iterate(each))
    return {each.name for each in elements if isinstance(each, Column) and each.table is _TASKS}


def _count(rows: FromClause) -> ColumnElement[int]:
    return select(func.count()).select_from(rows).scalar_subquery()


def _tasks(columns: Sequence[str]) -> Select[Any]:
    """These columns of all tasks, and of what they reference."""
    return joined(_TASKS, _stored(columns), REFERENCES_OF_A_TASK)


def _stored(columns: Sequence[str]) -> list[str]:
    return [OF_PROJECT.get(name, name) for name in columns]


def _limit() -> BindParameter[int]:
    return bindparam("limit", type_=Integer())
