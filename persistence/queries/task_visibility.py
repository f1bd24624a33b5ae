"""Which tasks an actor may read, as a condition in SQL: the reaches of the policy."""

from typing import Any, Final
from uuid import UUID

from sqlalchemy import BindParameter, ColumnElement, Uuid, any_, bindparam, false, or_, select, true

from domain.actor import Actor
from domain.policy import IN_PROJECT, Action, Reach
from persistence.models import TaskRow
from persistence.queries.parent import Parent, Reaches
from persistence.queries.project_visibility import projects_of_member

_ACTOR: Final[BindParameter[UUID]] = bindparam("actor_id", type_=Uuid())
_MINE: Final = {Reach.OWN: TaskRow.owner_id, Reach.ASSIGNED: TaskRow.assignee_id}


def reaches_of(actor: Actor | None) -> Reaches:
    """The tasks that the actor may read."""
    return TASK.reaches(actor)


def values_of(actor: Actor | None) -> dict[str, Any]:
    """The values of the parameters of all conditions on the actor: `actor_id`, and `token_project_id`."""
    if actor is None:
        return {"actor_id": None, "token_project_id": None}
    return {"actor_id": actor.user_id, "token_project_id": actor.project_id}


def visible(reaches: Reaches) -> ColumnElement[bool]:
    """The condition for tasks that the actor may read; its parameter is `actor_id`."""
    if Reach.ANY in reaches:
        return true()
    return or_(*personal_parts(reaches), in_project_of_member(reaches))


def listed(reaches: Reaches) -> ColumnElement[bool]:
    """The condition for tasks in lists that know no projects: personal tasks, and tasks of projects that belong or are
    assigned to the actor, if the actor may read them. Its parameter is `actor_id`.
    """
    own = or_(*(column == _ACTOR for column in _MINE.values()))
    if Reach.ANY in reaches:
        return or_(_is_personal(), own)
    if Reach.ONE_PROJECT in reaches:
        return own & in_project_of_member(reaches)
    return _is_mine(reaches) & or_(_is_personal(), in_project_of_member(reaches))


def in_project_of_member(reaches: Reaches) -> ColumnElement[bool]:
    """The condition for tasks of the projects of which the actor is a member, and may read the tasks."""
    if not any(reaches & in_project for in_project in IN_PROJECT.values()):
        return false()
    # The array is computed once, when a row needs it. PostgreSQL can use an index with it; with a subselect it cannot.
    return TaskRow.project_id == any_(projects_of_member(reaches))


def is_member_of_project(reaches: Reaches) -> ColumnElement[bool]:
    """The condition for all rows or none: the actor is a member of the project `project_id`, and may read its tasks."""
    if not any(reaches & in_project for in_project in IN_PROJECT.values()):
        return false()
    return bindparam("project_id", type_=Uuid()) == any_(projects_of_member(reaches))


def belongs_to_visible_task(task_id: Any, reaches: Reaches) -> ColumnElement[bool]:
    """The condition for rows that belong to a task that the actor may read; *task_id* is their column.

    Rows of a deleted task do not, for any actor.
    """
    return select(TaskRow.id).where(TaskRow.id == task_id, visible(reaches)).exists()


def personal_parts(reaches: Reaches) -> list[ColumnElement[bool]]:
    """The condition for personal tasks that the actor may read, as a list of disjoint conditions."""
    mine = [column == _ACTOR for own, column in _MINE.items() if own in reaches]
    # Tasks that are assigned to their owner are among the actor's own ones. An index has the others.
    others = TaskRow.owner_id != TaskRow.assignee_id
    disjoint = [mine[0], *(part & others for part in mine[1:])] if mine else [false()]
    return [part & _is_personal() for part in disjoint]


def _is_personal() -> ColumnElement[bool]:
    return TaskRow.project_id.is_(None)


def _is_mine(reaches: Reaches) -> ColumnElement[bool]:
    return or_(false(), *(column == _ACTOR for own, column in _MINE.items() if own in reaches))


TASK: Final = Parent(Action.READ_TASK, belongs_to_visible_task)
"""Tasks, as the parents of rows."""
