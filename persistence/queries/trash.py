"""Queries for deleted tasks that can be restored."""

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any, Final
from uuid import UUID

from sqlalchemy import FromClause, Uuid, bindparam, false, select

from domain.actor import Actor
from domain.errors import BadRequest
from domain.policy import Action, Reach, reach_of
from persistence.models import TrashRow
from persistence.pagination import NOT_OURS, PageCursor, PageRequest, page_cursor
from persistence.queries.child_list import number_in
from persistence.queries.joins import Referenced, References, user_in
from persistence.queries.key_page import KeyPage
from persistence.queries.parent import Reaches
from persistence.queries.project_visibility import any_project, belongs_to_visible_project
from persistence.queries.query import Paged, Query
from persistence.queries.selectivity import usually
from persistence.queries.task_visibility import values_of

TRASH_ORDER: Final = "trash"
REFERENCES_OF_TRASH: Final[References] = {
    "owner": user_in("owner_id"),
    "deleter": user_in("deleted_by"),
    "project": Referenced("project_id", any_project),
}
_TRASH: Final[FromClause] = TrashRow.__table__
_ACTOR: Final = bindparam("actor_id", type_=Uuid())


def trash_page(actor: Actor | None, request: PageRequest, project_id: UUID | None) -> Paged:
    """A page of the tasks that were deleted in a project, the last one first; without a project, of personal tasks.

    They are those that the actor may restore; of personal tasks those that the actor owned and deleted. Subtasks that
    were deleted with their tasks are left out.

    Raises:
        BadRequest: a cursor was not made by this API.
    """
    values: dict[str, Any] = {**values_of(actor), "limit": request.limit}
    for name, cursor in (("after", request.after), ("before", request.before)):
        if cursor is not None:
            values[name] = _place_in(cursor)
    if project_id is not None:
        values["project_id"] = project_id
    reaches = reach_of(actor, Action.RESTORE_TASK) if actor is not None else frozenset()
    source = _source(reaches, of_project=project_id is not None)
    rows = KeyPage.of(request, source, "place", descending=True, references=_references, stored=_stored)
    return Paged(Query(rows, values), request, _cursor)


@cache
def _source(reaches: Reaches, *, of_project: bool) -> Callable[[], FromClause]:
    return partial(_in_project if of_project else _personal, reaches)


def _in_project(reaches: Reaches) -> FromClause:
    """The deleted tasks of a project. The parameters are `project_id` and `actor_id`."""
    project_id = bindparam("project_id", type_=Uuid())
    may_restore = belongs_to_visible_project(project_id, reaches)  # decided once, and not for each task
    return select(_TRASH).where(_TRASH.c.project_id == project_id, usually(_IS_ROOT), may_restore).subquery("deleted")


def _personal(reaches: Reaches) -> FromClause:
    """The personal tasks that their owner has deleted. The parameter is `actor_id`."""
    if reaches.isdisjoint({Reach.OWN, Reach.ANY}):
        return select(_TRASH).where(false()).subquery("deleted")
    mine = (_TRASH.c.owner_id == _ACTOR) & _TRASH.c.project_id.is_(None)
    wanted = usually((_TRASH.c.deleted_by == _ACTOR) & _IS_ROOT)
    return select(_TRASH).where(mine, wanted).subquery("deleted")


_IS_ROOT: Final = _TRASH.c.root_id == _TRASH.c.id


def _references() -> References:
    return REFERENCES_OF_TRASH


def _stored(columns: Sequence[str]) -> list[str]:
    return ["project.key" if name == "project_key" else name for name in columns]


def _cursor(place: Any, row_id: UUID) -> str:
    return page_cursor(TRASH_ORDER, str(place), row_id)


def _place_in(cursor: PageCursor) -> int:
    try:
        return number_in(cursor.value or "")
    except ValueError as error:
        raise BadRequest(NOT_OURS) from error
