"""Checks that the log, the acknowledged changes of memberships and the stored memberships agree."""

from typing import Final

from domain.actor import Actor
from domain.events import MembershipEvent, TaskChange, TaskEvent
from domain.policy import Action, may
from verification.history import History
from verification.index import Index
from verification.log_check import LOG
from verification.report import Fault, Report

_ACTIONS: Final = {
    TaskChange.CREATED: Action.CREATE_TASK,
    TaskChange.STATUS: Action.CHANGE_STATUS,
    TaskChange.ASSIGNEE: Action.ASSIGN_TASK,
    TaskChange.DELETED: Action.DELETE_TASK,
}
"""What a change needs; all others need `UPDATE_TASK`."""


def check_memberships(history: History, index: Index, report: Report) -> None:
    """Add all contradictions to the report."""
    _check_writes(history, index, report)
    _check_final(history, index, report)
    _check_actors(history, index, report)


def _check_writes(history: History, index: Index, report: Report) -> None:
    """Each acknowledged change has its event."""
    events = [each.event for each in index.positions.values()] + list(history.unplaced)
    recorded = [(each.user_id, each.project_id, each.role) for each in events if isinstance(each, MembershipEvent)]
    for write in history.membership_writes:
        try:
            recorded.remove((write.user_id, write.project_id, write.role))
        except ValueError:
            what = f"the role {write.role} of user {write.user_id} in project {write.project_id}"
            report.note(Fault.LOST, LOG, f"{what} was acknowledged, but is not in the log")


def _check_final(history: History, index: Index, report: Report) -> None:
    """The stored roles are those after the last event."""
    stored = history.final_members
    if stored is None:
        return
    for user_id in index.users() | stored.keys():
        if dict(index.roles(user_id).last) != dict(stored.get(user_id, {})):
            report.note(Fault.WRONG, LOG, f"the stored roles of user {user_id} differ from those in the log")


def _check_actors(history: History, index: Index, report: Report) -> None:
    """Who changed a task of a project had the right to do so at that place of the log.

    Users whose own role has changed are left out: the order of that change and the write is not known.
    """
    roles = {user_id: set(versions.values()) for user_id, versions in history.roles.items() if len(versions) == 1}
    for events in index.tasks().values():
        for position, event in events:
            for role in roles.get(event.actor_id, ()):
                actor = Actor(event.actor_id, role, None, 0)
                if not _may_change(actor, event, position, index):
                    report.note(Fault.FORBIDDEN, LOG, f"event {position} was made by a user without the right")


def _may_change(actor: Actor, event: TaskEvent, position: int, index: Index) -> bool:
    people = event.before or event.after
    if people is None or people.project_id is None:
        return True
    role = index.roles(actor.user_id).at(position).get(people.project_id)
    actions = {_ACTIONS.get(change, Action.UPDATE_TASK) for change in event.changes}
    return all(may(actor, action, people, role) for action in actions)
