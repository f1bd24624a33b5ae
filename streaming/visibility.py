"""What an actor may see of an event, and whose rights an access event changes."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID

from domain.access_token import Scope
from domain.actor import Actor
from domain.events import (
    AccessNews,
    DeliveredEvent,
    LoggedEvent,
    MembershipEvent,
    People,
    TaskEvent,
    TaskScopedEvent,
)
from domain.policy import Action, Reach, TaskPeople, may, may_project, reach_of
from domain.project import ProjectRole
from domain.task import TaskStatus
from domain.unknown_events import UnknownAccess
from domain.user import Role


def concerns(event: AccessNews, actor: Actor) -> bool:
    """Whether an access event changes the rights of this actor, in its session or with its token."""
    if event.user_id is None:
        return True
    if event.user_id != actor.user_id:
        return False
    if isinstance(event, MembershipEvent) and actor.project_id not in (None, event.project_id):
        return False
    grant_id = event.session_id or event.token_id
    if grant_id is not None:
        return grant_id == actor.grant_id
    if event.spares_tokens and actor.token_id is not None:
        return False
    return event.spared_session_id is None or event.spared_session_id != actor.session_id


def may_see(actor: Actor, task: TaskPeople) -> bool:
    """Whether the actor may see a task with these people."""
    return may(actor, Action.READ_TASK, task, actor.projects.of(task.project_id))


def may_see_project(actor: Actor, project_id: UUID) -> bool:
    """Whether the actor may see a project."""
    return may_project(actor, Action.READ_PROJECT, actor.projects.of(project_id))


class Visibility(StrEnum):
    """What an event means to an actor."""

    __hash__ = str.__hash__  # Enum.__hash__ is slow Python code, and the value is hashed for each delivery

    VISIBLE = "SEEN"
    """The actor may see the task after the event."""
    GONE = "GONE"
    """The task exists, but the event removed the actor's right to see it."""
    DELETED = "DELETED"
    """The event deleted a task that the actor could see."""
    PROJECT = "PROJECT"
    """The event changed a project that the actor may see, or its members."""
    OWN_ROLE = "OWN_ROLE"
    """The event changed the actor's own role in a project."""


@dataclass(frozen=True, slots=True)
class StreamFilter:
    """Which tasks a subscriber wants: AND between fields; None = any, an empty set = none.

    The owner and the assignee may match before or after the event, but only where the actor may see the task. Otherwise
    a filter would reveal who owns a task that is no longer visible.

    `to` is the status after the event: the target of a move, or the current status for any other change. Events that
    remove the task from view or delete it match any `to`: a subscriber who saw the task in one of these columns must
    learn that it is no longer there.

    `only_listed` leaves out the tasks of projects that the actor neither owns nor is assigned to, as lists do that know
    no projects.
    """

    task_ids: frozenset[UUID] | None = None
    owner_id: UUID | None = None
    assignee_id: UUID | None = None
    to: frozenset[TaskStatus] | None = None
    project_id: UUID | None = None
    only_listed: bool = False


EVERYTHING = StreamFilter()
TASK_EVENTS: Final[frozenset[type[DeliveredEvent]]] = frozenset({TaskEvent})
"""Changes of tasks."""


@dataclass(frozen=True, slots=True)
class SubscriberView:
    """An actor, its filter, and the classes of events that match.

    With *only_status*, only moves match. Events that remove or delete the task always match. With *follows_projects*,
    changes of the actor's own roles in projects match; otherwise they need a resync.
    """

    actor: Actor
    filter: StreamFilter
    only_status: bool = False
    events: frozenset[type[DeliveredEvent]] = TASK_EVENTS
    follows_projects: bool = False
    sees_everything: bool = field(init=False)
    """If true, the result depends on `filter_key` only, and is the same for all such subscribers."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "sees_everything", Reach.ANY in reach_of(self.actor, Action.READ_TASK))

    @property
    def filter_key(self) -> Hashable:
        """Everything that the result depends on, if the actor sees everything."""
        user_id = self.actor.user_id if self.filter.only_listed else None
        return self.filter, self.only_status, self.events, self.follows_projects, user_id

    def is_changed_by(self, event: AccessNews) -> bool:
        """Whether the event changes what the actor sees of the tasks that the filter wants."""
        wanted = self.filter.project_id
        if isinstance(event, MembershipEvent) and wanted is not None and wanted != event.project_id:
            return False
        return concerns(event, self.actor)

    def needs_resync_by(self, event: AccessNews) -> bool:
        """Whether the event changes what the actor sees, by a membership or in an unknown way, and no item says so."""
        if isinstance(event, MembershipEvent):
            return not self.follows_projects and self.is_changed_by(event)
        return isinstance(event, UnknownAccess) and self.is_changed_by(event)

    def first_resync(self, events: Iterable[LoggedEvent]) -> int | None:
        """The first position at which the actor needs a resync."""
        for logged in events:
            if (news := logged.access_news) is not None and self.needs_resync_by(news):
                return logged.position
        return None

    def candidates(self, events: Iterable[LoggedEvent]) -> list[LoggedEvent]:
        """The events without those that certainly do not concern the actor, which stay undecoded."""
        if self.sees_everything:
            return list(events)
        ids = {str(self.actor.user_id), *map(str, self.actor.projects)}
        return [logged for logged in events if logged.decode_for(ids) is None]

    def visibility_of(self, event: DeliveredEvent) -> Visibility | None:
        """What the event means to this actor. None: it is not delivered."""
        if isinstance(event, TaskScopedEvent):
            return self._visibility_of_task(event)
        if any(only not in (None, event.project_id) for only in (self.filter.project_id, self.actor.project_id)):
            return None
        if isinstance(event, MembershipEvent) and event.user_id == self.actor.user_id:
            return Visibility.OWN_ROLE if self.follows_projects else None
        is_wanted = type(event) in self.events and may_see_project(self.actor, event.project_id)
        return Visibility.PROJECT if is_wanted else None

    def _visibility_of_task(self, event: TaskScopedEvent) -> Visibility | None:
        before, after = self._if_visible(event.before), self._if_visible(event.after)
        visibility = _visibility(event, before, after)
        if visibility is Visibility.VISIBLE and self._has_left_list(before, after):
            visibility = Visibility.GONE
        if visibility is None or not self._matches(event, visibility):
            return None
        return visibility if any(self._matches_people(people) for people in (before, after) if people) else None

    def _if_visible(self, people: People | None) -> People | None:
        if self.sees_everything or people is None:
            return people
        return people if may_see(self.actor, people) else None

    def _matches(self, event: TaskScopedEvent, visibility: Visibility) -> bool:
        if self.filter.task_ids is not None and event.task_id not in self.filter.task_ids:
            return False
        if visibility is not Visibility.VISIBLE:
            return True
        if type(event) not in self.events:
            return False
        if event.to_status is None:
            return False  # this version cannot show a task with an unknown status
        if self.only_status and not event.changed_status:
            return False
        return self.filter.to is None or event.to_status in self.filter.to

    def _matches_people(self, people: People) -> bool:
        wanted = self.filter
        return (
            (wanted.owner_id is None or people.owner_id == wanted.owner_id)
            and (wanted.assignee_id is None or people.assignee_id == wanted.assignee_id)
            and (wanted.project_id is None or people.project_id == wanted.project_id)
            and (not wanted.only_listed or self._is_listed(people))
        )

    def _has_left_list(self, before: People | None, after: People | None) -> bool:
        """Whether lists that know no projects had the task before the event, and do not have it after."""
        if not self.filter.only_listed or before is None or after is None:
            return False
        return self._is_listed(before) and not self._is_listed(after)

    def _is_listed(self, people: People) -> bool:
        return people.project_id is None or relation(self.actor.user_id, people) is not Relation.NONE


def _visibility(event: TaskScopedEvent, before: People | None, after: People | None) -> Visibility | None:
    if after is not None:
        return Visibility.VISIBLE
    if before is None:
        return None
    return Visibility.DELETED if event.deleted else Visibility.GONE


class Relation(StrEnum):
    """How a user is related to a task."""

    __hash__ = str.__hash__  # see `Visibility`

    NONE = "none"
    OWNER = "owner"
    ASSIGNEE = "assignee"
    BOTH = "both"


class Viewpoint(NamedTuple):
    """Everything that the answer to an event depends on, unless the operation selects personal fields.

    The cursor identifies the event and the subscriber's access version. `now` is the relation to the task as it is
    delivered, and `project_role` the role in its project, or in the project that the event is about; `snapshot_number`
    identifies the read of that task. `scopes` are those of the user's token, and `token_project` the only project
    that it reaches, or None.
    """

    cursor: str
    visibility: Visibility
    role: Role
    scopes: frozenset[Scope] | None
    token_project: UUID | None
    before: Relation
    after: Relation
    now: Relation
    project_role: ProjectRole | None
    snapshot_number: int


def relation(user_id: UUID, task: TaskPeople | None) -> Relation:
    """How the user is related to the task; `NONE` if there is no task."""
    if task is None:
        return Relation.NONE
    if task.owner_id == user_id:
        return Relation.BOTH if task.assignee_id == user_id else Relation.OWNER
    return Relation.ASSIGNEE if task.assignee_id == user_id else Relation.NONE


def viewpoint(
    actor: Actor,
    event: DeliveredEvent,
    *,
    cursor: str,
    visibility: Visibility,
    people: TaskPeople | None,
    snapshot_number: int,
) -> Viewpoint:
    """The viewpoint of an actor on an event. *people* are the task's current people, or those at its deletion.

    *people* is None if the actor may not see them.
    """
    rights = (actor.role, actor.scopes, actor.project_id)
    if not isinstance(event, TaskScopedEvent):
        none, project_role = Relation.NONE, actor.projects.of(event.project_id)
        return Viewpoint(cursor, visibility, *rights, none, none, none, project_role, snapshot_number)
    user_id = actor.user_id
    before, now = relation(user_id, event.before), relation(user_id, people)
    after = before if event.after is event.before else relation(user_id, event.after)
    project_role = actor.projects.of(people.project_id) if people is not None else None
    return Viewpoint(cursor, visibility, *rights, before, after, now, project_role, snapshot_number)
