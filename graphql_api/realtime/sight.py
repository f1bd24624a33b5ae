"""Who is told of an event, and as what: decided by what one may see of it, never by where it comes from."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from domain.actor import Actor
from domain.events import People, TaskEvent
from domain.policy import Action, Reach, may, reach
from domain.task import TaskStatus


class Sight(StrEnum):
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
class Eyes:
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

    def look(self, event: TaskEvent) -> Sight | None:
        """What the event means to this actor; None = nothing, it is not told."""
        before, after = self._visible(event.before), self._visible(event.after)
        sight = _sight(event, before, after)
        if sight is None or not self._wants(event, sight):
            return None
        return sight if any(self._concerns(people) for people in (before, after) if people) else None

    def _visible(self, people: People | None) -> People | None:
        if self.see_everything or people is None:
            return people
        return people if may(self.actor, Action.READ_TASK, people) else None

    def _wants(self, event: TaskEvent, sight: Sight) -> bool:
        if self.wanted.task_ids is not None and event.task_id not in self.wanted.task_ids:
            return False
        if sight is not Sight.SEEN:
            return True
        if event.to_status is None:
            return False  # nor could this version show the task
        if self.only_status and not event.changed_status:
            return False
        return self.wanted.to is None or event.to_status in self.wanted.to

    def _concerns(self, people: People) -> bool:
        owner, assignee = self.wanted.owner_id, self.wanted.assignee_id
        return (owner is None or people.owner_id == owner) and (assignee is None or people.assignee_id == assignee)


def _sight(event: TaskEvent, before: People | None, after: People | None) -> Sight | None:
    if after is not None:
        return Sight.SEEN
    if before is None:
        return None
    return Sight.DELETED if event.deleted else Sight.GONE
