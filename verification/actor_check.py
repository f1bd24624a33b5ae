"""Checks that tasks of projects are changed only by users who may do so."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Final
from uuid import UUID

from domain.actor import Actor
from domain.events import MembershipEvent, People, TaskChange, TaskEvent
from domain.policy import Action, may
from verification.history import History
from verification.index import Index
from verification.log_check import LOG
from verification.memberships import Roles
from verification.report import Fault, Report

_ACTIONS: Final = {
    TaskChange.CREATED: Action.CREATE_TASK,
    TaskChange.STATUS: Action.CHANGE_STATUS,
    TaskChange.ASSIGNEE: Action.ASSIGN_TASK,
    TaskChange.DELETED: Action.DELETE_TASK,
    TaskChange.RESTORED: Action.RESTORE_TASK,
}
"""What a change needs; all others need `UPDATE_TASK`."""


def check_actors(history: History, index: Index, report: Report) -> None:
    """Add each change of a task of a project by a user who had no right to make it at that place of the log.

    A change that was made while the user's role changed may count as earlier or later. Users whose own role has changed
    are left out: the order of that change and the write is not known.
    """
    roles = {user_id: set(versions.values()) for user_id, versions in history.roles.items() if len(versions) == 1}
    rights = _Rights(history, index)
    for events in index.tasks().values():
        for position, event in events:
            for role in roles.get(event.actor_id, ()):
                if not rights.may_change(Actor(event.actor_id, role, None, 0), event, position):
                    report.note(Fault.FORBIDDEN, LOG, f"event {position} was made by a user without the right")


class _Rights:
    """The rights of users at places of the log."""

    def __init__(self, history: History, index: Index) -> None:
        self._index = index
        self._begun = {(write.task_id, write.version): write.begun for write in history.writes}
        self._acked = dict(_acknowledgements(history, index))

    def may_change(self, actor: Actor, event: TaskEvent, position: int) -> bool:
        """Whether the actor had the right to make this change."""
        actions = {_ACTIONS.get(change, Action.UPDATE_TASK) for change in event.changes}
        needed = [(action, event.before or event.after) for action in actions]
        if TaskChange.PROJECT in event.changes:
            needed.append((Action.CREATE_TASK, event.after))
        roles = self._index.roles(actor.user_id)
        return any(
            all(_may(actor, action, people, roles.at(moment)) for action, people in needed)
            for moment in self._moments(actor.user_id, event, position)
        )

    def _moments(self, user_id: UUID, event: TaskEvent, position: int) -> Iterator[int]:
        """The place of the event, and those before the changes of roles that were made at the same time."""
        yield position
        begun = self._begun.get((event.task_id, event.version))
        if begun is None and event.deleted:
            begun = self._begun.get((event.task_id, None))
        for change in reversed(self._index.roles(user_id).changes(0, position)):
            if begun is not None and self._acked.get(change, float("inf")) < begun:
                return
            yield change - 1


def _may(actor: Actor, action: Action, people: People | None, roles: Roles) -> bool:
    """Whether the actor may do this to a task with these people. Personal tasks are not checked."""
    if people is None or people.project_id is None:
        return True
    return may(actor, action, people, roles.get(people.project_id))


def _acknowledgements(history: History, index: Index) -> Iterator[tuple[int, float]]:
    """The positions of membership events, and when they were acknowledged: those of a member are in order."""
    acked: dict[tuple[UUID, UUID], list[float]] = defaultdict(list)
    for write in history.membership_writes:
        acked[write.user_id, write.project_id].append(write.acked)
    for position in sorted(index.positions):
        event = index.positions[position].event
        if isinstance(event, MembershipEvent) and acked[event.user_id, event.project_id]:
            yield position, acked[event.user_id, event.project_id].pop(0)
