"""From where somebody looks at an event: all who look from the same place see the same."""

from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from domain.actor import Actor
from domain.events import TaskEvent
from domain.policy import TaskPeople
from domain.user import Role
from graphql_api.realtime.sight import Sight


class Relation(StrEnum):
    """What a task is to somebody."""

    __hash__ = str.__hash__  # as that of `Sight`

    NONE = "none"
    OWNER = "owner"
    ASSIGNEE = "assignee"
    BOTH = "both"


class Viewpoint(NamedTuple):
    """All that what is told of an event may depend on, unless it is personal.

    The cursor names the event, and the rights under which it is told. `now` is the relation to the task as it is
    told, `reading` which reading of the task that was.
    """

    cursor: str
    sight: Sight
    role: Role
    before: Relation
    after: Relation
    now: Relation
    reading: int


def relation(user_id: UUID, task: TaskPeople | None) -> Relation:
    """What the task is to this user; nothing when there is none."""
    if task is None:
        return Relation.NONE
    if task.owner_id == user_id:
        return Relation.BOTH if task.assignee_id == user_id else Relation.OWNER
    return Relation.ASSIGNEE if task.assignee_id == user_id else Relation.NONE


def viewpoint(
    actor: Actor, event: TaskEvent, *, cursor: str, sight: Sight, people: TaskPeople | None, reading: int
) -> Viewpoint:
    """From where the actor looks at an event, given whose the task is, or was when it was deleted.

    Without *people* the actor may not know.
    """
    user_id = actor.user_id
    before, now = relation(user_id, event.before), relation(user_id, people)
    after = before if event.after is event.before else relation(user_id, event.after)
    return Viewpoint(cursor, sight, actor.role, before, after, now, reading)
