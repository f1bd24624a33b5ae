"""What an actor may see of an event, and whose rights an access event changes."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from domain.actor import Actor
from domain.events import AccessNews, People, TaskEvent
from domain.policy import Action, Reach, TaskPeople, may, reach
from domain.task import TaskStatus
from domain.user import Role


def concerns(event: AccessNews, actor: Actor) -> bool:
    """Whether what this actor was allowed under its session must be looked at anew."""
    if event.user_id is None:
        return True
    if event.user_id != actor.user_id:
        return False
    if event.session_id is not None:
        return event.session_id == actor.session_id
    return event.spared_session_id is None or event.spared_session_id != actor.session_id


class Visibility(StrEnum):
    """What an event means to somebody."""

    __hash__ = str.__hash__  # an enum's own is written in Python, and places are looked up once for each delivery

    SEEN = "SEEN"
    """The task can be seen after it."""
    GONE = "GONE"
    """The task exists, and this took it out of sight."""
    DELETED = "DELETED"
    """The task that could be seen exists no more."""


@dataclass(frozen=True, slots=True)
class StreamFilter:
    """Which tasks somebody wants to hear of: AND between fields; None = any, an empty set = none.

    The owner and the assignee may match before the event or after it, but only on a side that the actor may see:
    else a filter would be a way to ask who owns what has left one's sight.

    `to` is the status in which the event left the task: of a move its target, of any other change where the task
    stands. What is out of sight or deleted is told whatever its status: somebody who heard of the task in one of
    these columns must learn that it is not there any more.
    """

    task_ids: frozenset[UUID] | None = None
    owner_id: UUID | None = None
    assignee_id: UUID | None = None
    to: frozenset[TaskStatus] | None = None


EVERYTHING = StreamFilter()


@dataclass(frozen=True, slots=True)
class SubscriberView:
    """An actor and what it wants to hear of; with *only_status*, moves only, besides what is gone or deleted."""

    actor: Actor
    wanted: StreamFilter
    only_status: bool
    see_everything: bool = field(init=False)
    """Then the look is that of everybody else who sees everything and has the same `wishes`."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "see_everything", Reach.ANY in reach(self.actor.role, Action.READ_TASK))

    @property
    def wishes(self) -> Hashable:
        """All that the look depends on besides the actor."""
        return self.wanted, self.only_status

    def look(self, event: TaskEvent) -> Visibility | None:
        """What the event means to this actor; None = nothing, it is not told."""
        before, after = self._visible(event.before), self._visible(event.after)
        sight = _visibility(event, before, after)
        if sight is None or not self._wants(event, sight):
            return None
        return sight if any(self._concerns(people) for people in (before, after) if people) else None

    def _visible(self, people: People | None) -> People | None:
        if self.see_everything or people is None:
            return people
        return people if may(self.actor, Action.READ_TASK, people) else None

    def _wants(self, event: TaskEvent, sight: Visibility) -> bool:
        if self.wanted.task_ids is not None and event.task_id not in self.wanted.task_ids:
            return False
        if sight is not Visibility.SEEN:
            return True
        if event.to_status is None:
            return False  # nor could this version show the task
        if self.only_status and not event.changed_status:
            return False
        return self.wanted.to is None or event.to_status in self.wanted.to

    def _concerns(self, people: People) -> bool:
        owner, assignee = self.wanted.owner_id, self.wanted.assignee_id
        return (owner is None or people.owner_id == owner) and (assignee is None or people.assignee_id == assignee)


def _visibility(event: TaskEvent, before: People | None, after: People | None) -> Visibility | None:
    if after is not None:
        return Visibility.SEEN
    if before is None:
        return None
    return Visibility.DELETED if event.deleted else Visibility.GONE


class Relation(StrEnum):
    """What a task is to somebody."""

    __hash__ = str.__hash__  # as that of `Visibility`

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
    sight: Visibility
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
    actor: Actor, event: TaskEvent, *, cursor: str, sight: Visibility, people: TaskPeople | None, reading: int
) -> Viewpoint:
    """From where the actor looks at an event, given whose the task is, or was when it was deleted.

    Without *people* the actor may not know.
    """
    user_id = actor.user_id
    before, now = relation(user_id, event.before), relation(user_id, people)
    after = before if event.after is event.before else relation(user_id, event.after)
    return Viewpoint(cursor, sight, actor.role, before, after, now, reading)
