"""Queries for projects. The statement depends on the projects that the actor's role may read."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Boolean,
    FromClause,
    Select,
    String,
    Uuid,
    any_,
    bindparam,
    select,
)

from domain.actor import Actor
from domain.errors import BadRequest
from domain.text import is_storable
from persistence.models import ProjectKeyRow
from persistence.pagination import NOT_OURS, PageCursor, PageRequest, page_cursor
from persistence.queries.joins import joined
from persistence.queries.key_page import KeyPage
from persistence.queries.parent import Reaches
from persistence.queries.project_visibility import PROJECT, visible_projects
from persistence.queries.query import Paged, Query
from persistence.queries.task_visibility import values_of

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


def _listed(reaches: Reaches, *, by_archived: bool) -> FromClause:
    """The projects of a list. The parameters are `actor_id` and, if archived ones are filtered, `is_archived`."""
    found = visible_projects(reaches)
    if not by_archived:
        return found
    return select(found).where(found.c.is_archived == bindparam("is_archived", type_=Boolean())).subquery("listed")


@cache
def _source(reaches: Reaches, *, by_archived: bool) -> Callable[[], FromClause]:
    return partial(_listed, reaches, by_archived=by_archived)


def project(actor: Actor | None, project_id: UUID) -> Query:
    """One project."""
    return Query(ProjectById(PROJECT.reaches(actor)), {"id": project_id, **values_of(actor)})


def project_by_key(actor: Actor | None, key: str) -> Query:
    """The project that has this key or had it, ignoring case."""
    found = key.strip().upper() if key.isascii() and is_storable(key) else ""  # which no project has
    return Query(ProjectByKey(PROJECT.reaches(actor)), {"key": found, **values_of(actor)})


def projects(actor: Actor | None, ids: Collection[UUID]) -> Query:
    """Several projects."""
    return Query(ProjectsById(PROJECT.reaches(actor)), {"ids": list(ids), **values_of(actor)})


def project_page(actor: Actor | None, request: PageRequest, *, is_archived: bool | None) -> Paged:
    """A page, and one more project, to find out whether there is a next page. *is_archived*: None = all projects.

    Raises:
        BadRequest: a cursor was not made by this API.
    """
    values: dict[str, Any] = {**values_of(actor), "limit": request.limit}
    for name, cursor in (("after", request.after), ("before", request.before)):
        if cursor is not None:
            values[name] = _key_in(cursor)
    if is_archived is not None:
        values["is_archived"] = is_archived
    source = _source(PROJECT.reaches(actor), by_archived=is_archived is not None)
    rows = KeyPage.of(request, source, "key")
    return Paged(Query(rows, values), request, project_cursor)


def project_cursor(key: str, project_id: UUID) -> str:
    """The cursor of a project."""
    return page_cursor(PROJECT_ORDER, key, project_id)


def _key_in(cursor: PageCursor) -> str:
    if not cursor.value or not cursor.value.isascii() or not cursor.value.isalnum():
        raise BadRequest(NOT_OURS)
    return cursor.value
