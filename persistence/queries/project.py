"""Queries for projects. The statement depends on the projects that the actor's role may read."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BindParameter,
    Boolean,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    String,
    Uuid,
    any_,
    bindparam,
    func,
    select,
)

from domain.actor import Actor
from domain.errors import BadRequest
from domain.text import is_storable
from persistence.models import ProjectKeyRow
from persistence.pagination import NOT_OURS, PageCursor, PageRequest, page_cursor
from persistence.queries.joins import joined
from persistence.queries.page_facts import ONE, Known, facts_of, is_any
from persistence.queries.parent import Reaches
from persistence.queries.project_visibility import PROJECT, visible_projects
from persistence.queries.query import Paged, Query
from persistence.queries.task_visibility import id_of

PROJECT_ORDER: Final = "projects.key"


@dataclass(frozen=True, slots=True)
class ProjectById:
    """One project, if the actor may read it. Parameters: `id`, `actor_id`."""

    reaches: Reaches

    def select(self, columns: Sequence[str]) -> Select[Any]:
        """The statement."""
        projects = visible_projects(self.reaches)
        return joined(projects, columns).where(projects.c.id == bindparam("id", type_=Uuid()))


@dataclass(frozen=True, slots=True)
class ProjectByKey:
    """The project that has or had a key, if the actor may read it. Parameters: `key`, `actor_id`."""

    reaches: Reaches

    def select(self, columns: Sequence[str]) -> Select[Any]:
        """The statement."""
        projects = visible_projects(self.reaches)
        found = select(ProjectKeyRow.project_id).where(ProjectKeyRow.key == bindparam("key", type_=String()))
        return joined(projects, columns).where(projects.c.id == found.scalar_subquery())


@dataclass(frozen=True, slots=True)
class ProjectsById:
    """Those of several projects that the actor may read, in no order. Parameters: `ids`, `actor_id`."""

    reaches: Reaches

    def select(self, columns: Sequence[str]) -> Select[Any]:
        """The statement."""
        projects = visible_projects(self.reaches)
        return joined(projects, columns).where(projects.c.id == any_(bindparam("ids", type_=ARRAY(Uuid()))))


@dataclass(frozen=True)
class ProjectPage:
    """A page of projects by key. Parameters: `limit`, `actor_id`, the keys `after` and `before`, and `is_archived`.

    The rows start at the end from which the page is taken. After the requested columns each row has the facts, the key,
    and the id. An empty page with facts is one row without a project.
    """

    reaches: Reaches
    after: bool
    before: bool
    backward: bool
    by_archived: bool
    facts: tuple[str, ...]

    @cached_property
    def _projects(self) -> FromClause:
        return visible_projects(self.reaches)

    def select(self, columns: Sequence[str]) -> Select[Any]:
        """The statement."""
        inside = []
        if self.after:
            inside.append(self._key > _key_of("after"))
        if self.before:
            inside.append(self._key < _key_of("before"))
        limit = bindparam("limit", type_=Integer())
        page = self._found(self._projects.c, inside, backward=self.backward, limit=limit).subquery("page")
        facts = self._facts().subquery("facts") if self.facts else None
        query = joined(page, columns, facts=facts)
        query = query.add_columns(page.c.key.label("place"), page.c.id.label("place_id"))
        return query.order_by(page.c.key.desc() if self.backward else page.c.key.asc())

    @property
    def _key(self) -> ColumnElement[str]:
        return self._projects.c.key

    def _facts(self) -> Select[Any]:
        known: Known = {"total": self._total, "earlier": self._is_any_earlier, "later": self._is_any_later}
        return facts_of(self.facts, known)

    def _total(self) -> ColumnElement[int]:
        return select(func.count()).select_from(self._projects).where(*self._conditions()).scalar_subquery()

    def _is_any_earlier(self) -> ColumnElement[bool]:
        return is_any(self._found([self._projects.c.id], [self._key <= _key_of("after")], backward=True, limit=ONE))

    def _is_any_later(self) -> ColumnElement[bool]:
        return is_any(self._found([self._projects.c.id], [self._key >= _key_of("before")], backward=False, limit=ONE))

    def _conditions(self) -> list[ColumnElement[bool]]:
        if not self.by_archived:
            return []
        return [self._projects.c.is_archived == bindparam("is_archived", type_=Boolean())]

    def _found(self, columns: Any, place: Sequence[ColumnElement[bool]], *, backward: bool, limit: Any) -> Select[Any]:
        query = select(*columns).where(*place, *self._conditions())
        return query.order_by(self._key.desc() if backward else self._key.asc()).limit(limit)


def project(actor: Actor | None, project_id: UUID) -> Query:
    """One project."""
    return Query(ProjectById(PROJECT.reaches(actor)), {"id": project_id, "actor_id": id_of(actor)})


def project_by_key(actor: Actor | None, key: str) -> Query:
    """The project that has this key or had it, ignoring case."""
    found = key.strip().upper() if key.isascii() and is_storable(key) else ""  # which no project has
    return Query(ProjectByKey(PROJECT.reaches(actor)), {"key": found, "actor_id": id_of(actor)})


def projects(actor: Actor | None, ids: Collection[UUID]) -> Query:
    """Several projects."""
    return Query(ProjectsById(PROJECT.reaches(actor)), {"ids": list(ids), "actor_id": id_of(actor)})


def project_page(actor: Actor | None, request: PageRequest, *, is_archived: bool | None) -> Paged:
    """A page, and one more project, to find out whether there is a next page. *is_archived*: None = all projects.

    Raises:
        BadRequest: a cursor was not made by this API.
    """
    values: dict[str, Any] = {"actor_id": id_of(actor), "limit": request.limit}
    for name, cursor in (("after", request.after), ("before", request.before)):
        if cursor is not None:
            values[name] = _key_in(cursor)
    if is_archived is not None:
        values["is_archived"] = is_archived
    rows = ProjectPage(
        PROJECT.reaches(actor),
        request.after is not None,
        request.before is not None,
        request.backward,
        is_archived is not None,
        request.facts,
    )
    return Paged(Query(rows, values), request, project_cursor)


def project_cursor(key: str, project_id: UUID) -> str:
    """The cursor of a project."""
    return page_cursor(PROJECT_ORDER, key, project_id)


def _key_of(name: str) -> BindParameter[str]:
    return bindparam(name, type_=String())


def _key_in(cursor: PageCursor) -> str:
    if not cursor.value or not cursor.value.isascii() or not cursor.value.isalnum():
        raise BadRequest(NOT_OURS)
    return cursor.value
