"""Which tasks an actor may read, as a condition in SQL: the reaches of the policy."""

from typing import Any, Final
from uuid import UUID

from sqlalchemy import BindParameter, ColumnElement, Uuid, bindparam, false, or_, select, true

from domain.actor import Actor
from domain.policy import Action, Reach
from persistence.models import TaskRow
from persistence.queries.parent import Parent, Reaches

_ACTOR: Final[BindParameter[UUID]] = bindparam("actor_id", type_=Uuid())
_MINE: Final = {Reach.OWN: TaskRow.owner_id, Reach.ASSIGNED: TaskRow.assignee_id}


def reaches_of(actor: Actor | None) -> Reaches:
    """The tasks that the actor may read."""
    return TASK.reaches(actor)


def id_of(actor: Actor | None) -> UUID | None:
    """The value of the parameter `actor_id`."""
    return actor.user_id if actor is not None else None


def visible(reaches: Reaches, actor: ColumnElement[UUID] = _ACTOR) -> ColumnElement[bool]:
    """The condition for tasks that the actor may read; its parameter is `actor_id`."""
    if Reach.ANY in reaches:
        return true()
    return or_(false(), *(column == actor for own, column in _MINE.items() if own in reaches))


def belongs_to_visible_task(task_id: Any, reaches: Reaches) -> ColumnElement[bool]:
    """The condition for rows that belong to a task that the actor may read; *task_id* is their column."""
    if Reach.ANY in reaches:
        return true()
    return select(TaskRow.id).where(TaskRow.id == task_id, visible(reaches)).exists()


def disjoint_parts(reaches: Reaches) -> list[ColumnElement[bool]]:
    """The same condition as a list of disjoint conditions; at least one."""
    mine = [column == _ACTOR for own, column in _MINE.items() if own in reaches]
    return [mine[0], *(part & ~mine[0] for part in mine[1:])] if mine else [false()]


TASK: Final = Parent(Action.READ_TASK, belongs_to_visible_task)
"""Tasks, as the parents of rows."""
