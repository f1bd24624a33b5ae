"""Checks that the log, the acknowledged changes of memberships and the stored memberships agree."""

from domain.events import MembershipEvent
from verification.actor_check import check_actors
from verification.history import History
from verification.index import Index
from verification.log_check import LOG
from verification.report import Fault, Report


def check_memberships(history: History, index: Index, report: Report) -> None:
    """Add all contradictions to the report."""
    _check_writes(history, index, report)
    _check_final(history, index, report)
    check_actors(history, index, report)


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
