"""Pages of tasks: those that match a filter, in an order, between two cursors."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import (
    CTE,
    Column,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    Uuid,
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
from persistence.models import TaskRow, TaskTextRow
from persistence.pagination import MAX_FIRST, NOT_OURS, PageRequest
from persistence.queries.joins import joined, own_columns
from persistence.queries.keyset import Keyset, Window, ordered
from persistence.queries.page_facts import ONE, Known, facts_of, is_any
from persistence.queries.parent import Reaches
from persistence.queries.project_visibility import projects_of_member
from persistence.queries.query import Paged, Query
from persistence.queries.task import REFERENCES_OF_A_TASK, TaskCount, stored
from persistence.queries.task_list import (
    FEW,
    KEYS,
    TaskFilter,
    TaskOrder,
    conditions,
    conditions_on_row,
    matches_search,
)
from persistence.queries.task_visibility import (
    in_project_of_member,
    is_member_of_project,
    personal_parts,
    reaches_of,
    values_of,
    visible,
)

_TASKS: Final[FromClause] = TaskRow.__table__
_LIMITS: Final = (21, 51, MAX_FIRST + 1)
_FIRST: Final[ColumnElement[int]] = literal_column("300")
"""So many tasks of a list are searched for a label or a text, before its index is used."""
_MANY: Final[ColumnElement[int]] = literal_column("10000")
"""So many texts that match are many: the tasks are read in the list's order instead."""
_ZERO: Final[ColumnElement[int]] = literal_column("0")
_SPARSE: Final = frozenset({"owner_id", "assignee_id", "parent_id"})
"""Filters that have an index of their own and usually match few tasks."""
_INDEXED: Final = frozenset({TaskOrder.CREATED_ASC, TaskOrder.CREATED_DESC, TaskOrder.RANK})
"""The orders for which projects have an index."""


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
        columns, descending = stored(columns), self.order.descending is not self.window.backward
        found = self._found(
            own_columns(columns, REFERENCES_OF_A_TASK),
            self._keyset.inside(self.window),
            descending=descending,
            limit=bindparam("limit", type_=Integer()),
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
        part = _Part(columns, place, descending, constant)
        return _merged(self._branches(part), descending=descending, limit=limit)

    def _branches(self, part: "_Part") -> Sequence[Select[Any]]:
        """The parts of the list. Each uses an index, usually one in the list's order."""
        if "project_id" in self.given:
            return self._branches_in_project(part)
        if FEW.isdisjoint(self.given):
            return self._branches_in_order(part)
        return self._first_or_found(part) if "search" in self.given else self._first_or_labelled(part)

    def _branches_in_project(self, part: "_Part") -> Sequence[Select[Any]]:
        membership = [] if Reach.ANY in self.reaches else [is_member_of_project(self.reaches)]
        if FEW.isdisjoint(self.given):
            return [self._branch(part, *membership, sorts=self.order not in _INDEXED)]
        few = self._branch(part, *membership, sorts=True)
        # A text is not compared with the first tasks: that takes longer than the index if the texts are long.
        if "search" in self.given or self.order not in _INDEXED:
            return [few]
        return _page_or(self._labelled(part), few, part)

    def _branches_in_order(self, part: "_Part") -> Sequence[Select[Any]]:
        """The list without a project: one part for each kind of task that the actor may read.

        A single query with OR would sort all tasks of the user, or scan the tasks of all users.
        """
        if Reach.ANY in self.reaches:
            return [self._branch(part)]
        if self.is_of_actor:
            # The index of the owner or of the assignee has these tasks in the list's order, and nearly all are visible.
            return [self._branch(part, visible(self.reaches), sorts=self.order not in _INDEXED)]
        personal = [self._branch(part, mine, sorts=self.order not in _INDEXED) for mine in personal_parts(self.reaches)]
        return [*personal, self._in_projects(part)]

    def _first_or_labelled(self, part: "_Part") -> Sequence[Select[Any]]:
        """The matches among the first tasks of the list, or else all that the index of labels finds."""
        few = self._branch(part, visible(self.reaches), sorts=True)
        return _page_or(self._labelled(part), few, part)

    def _first_or_found(self, part: "_Part") -> Sequence[Select[Any]]:
        """The matches among the first tasks of the list, or those with the texts that the index finds.

        If many texts match, most of them usually belong to others: then the tasks are read in the list's order.
        """
        # All of the first tasks are stored: whether the list has more decides also for a page that is not full.
        first = self._first(part).cte()
        page = self._among(first, part)
        are_enough = (_rows_of(page) >= part.limit) | (_rows_of(first) < _FIRST)
        texts = select(TaskTextRow.task_id).where(matches_search(TaskTextRow)).limit(_MANY).cte()
        others = conditions(self.given - {"search"}, KEYS[self.order].due)
        task = self._rows(part.columns).where(
            TaskRow.id == texts.c.task_id, visible(self.reaches), *part.place, *others
        )
        each = task.offset(_ZERO).correlate(texts).lateral()
        few = select(each).select_from(texts.join(each, true()))
        few = few.order_by(*ordered(each.c.sort, each.c.id, descending=part.descending)).limit(part.limit)
        in_order = self._branches_in_order(replace(part, on_row=True))
        rest = _merged(in_order, descending=part.descending, limit=part.limit)
        are_few = _rows_of(texts) < _MANY
        return [
            select(page).where(are_enough),
            select(few.subquery()).where(~are_enough & are_few),
            select(rest.subquery()).where(~are_enough & ~are_few),
        ]

    def _labelled(self, part: "_Part") -> CTE:
        """The tasks with a label among the first tasks of the list, which are read only until the page is full.

        A label that many tasks have is found in the list's order; one that few have, by its index.
        """
        return self._among(self._first(part).subquery(), part)

    def _among(self, first: FromClause, part: "_Part") -> CTE:
        """A page of the matches among the first tasks of the list."""
        found = select(*(first.c[name] for name in (*part.columns, "sort", "place")))
        found = found.where(*(ClauseAdapter(first).traverse(each) for each in self._filters_on_row))
        return found.order_by(*ordered(first.c.sort, first.c.id, descending=part.descending)).limit(part.limit).cte()

    def _first(self, part: "_Part") -> Select[Any]:
        """The first tasks of the list without the filters, with the columns that the filters need."""
        columns = list(dict.fromkeys([*part.columns, "id", *_columns_in(self._filters_on_row)]))
        plain = replace(self, given=self.given & {"project_id"}, is_of_actor=False)
        branches = plain._branches(replace(part, columns=columns, limit=_FIRST))
        return _merged(branches, descending=part.descending, limit=_FIRST)

    @property
    def _filters_on_row(self) -> list[ColumnElement[bool]]:
        return conditions_on_row(self.given, KEYS[self.order].due)

    def _in_projects(self, part: "_Part") -> Select[Any]:
        """The tasks of the actor's projects: the first ones of each project, or of all that an index finds."""
        if _SPARSE & self.given:
            return self._branch(part, in_project_of_member(self.reaches), sorts=self.order not in _INDEXED)
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
        filters = (conditions_on_row if part.on_row else conditions)(self.given, key.due)
        query = self._rows(part.columns).where(*wanted, *part.place, *filters)
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
    """What the branches of a list have in common: columns, the place in the order, and the number of rows.

    With `on_row`, the text and the labels of each row are compared, and their indexes are not used.
    """

    columns: Sequence[str]
    place: Sequence[ColumnElement[bool]]
    descending: bool
    limit: Any
    on_row: bool = False


def task_page(actor: Actor | None, request: PageRequest, wanted: TaskFilter, order: TaskOrder) -> Paged:
    """A page, and one more task, to find out whether there is a next page.

    Raises:
        BadRequest: a cursor belongs to another ordering, or the filter breaks a limit or does not fit the order.
    """
    key, given = KEYS[order], wanted.values()
    if order is TaskOrder.RANK and wanted.project_id is None:
        raise BadRequest("Each project has its own manual order: orderBy RANK needs a projectId in the filter.")
    values = {**values_of(actor), "limit": request.limit, **given}
    for name, cursor in (("after", request.after), ("before", request.before)):
        if cursor is not None and cursor.order != order.value:
            raise BadRequest(NOT_OURS)
        values |= key.values(name, cursor)
    window = Window(key.bound(request.after), key.bound(request.before), request.backward)
    at_most = next(each for each in _LIMITS if each >= request.limit)
    is_of_actor = actor is not None and actor.user_id in (wanted.owner_id, wanted.assignee_id)
    rows = TaskPage(reaches_of(actor), order, frozenset(given), window, request.facts, at_most, is_of_actor)
    return Paged(Query(rows, values), request, key.cursor_of(order))


def _merged(branches: Sequence[Select[Any]], *, descending: bool, limit: Any) -> Select[Any]:
    """The first rows of all branches."""
    rows = [each.subquery() for each in branches]
    found = rows[0] if len(rows) == 1 else union_all(*map(select, rows)).subquery()
    return select(found).order_by(*ordered(found.c.sort, found.c.id, descending=descending)).limit(limit)


def _columns_in(filters: Sequence[ColumnElement[bool]]) -> set[str]:
    """The columns of tasks that the filters use."""
    elements = (element for each in filters for element in iterate(each))
    return {each.name for each in elements if isinstance(each, Column) and each.table is _TASKS}


def _page_or(page: CTE, few: Select[Any], part: _Part) -> Sequence[Select[Any]]:
    """The page if it is full, or else the tasks that the index finds."""
    is_full = _rows_of(page) >= part.limit
    return [select(page).where(is_full), select(few.subquery()).where(~is_full)]


def _rows_of(rows: FromClause) -> ColumnElement[int]:
    return select(func.count()).select_from(rows).scalar_subquery()
