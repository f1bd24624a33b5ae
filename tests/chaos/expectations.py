"""What listeners of a history must receive, by its log."""

from collections.abc import Sequence
from uuid import UUID

from domain.events import AccessChange, AccessEvent, LoggedEvent, MembershipEvent, TaskEvent
from domain.user import Role
from persistence.models import UserRow
from verification.expected_visibility import ExpectedViewer
from verification.history import Listener
from verification.memberships import NO_ROLES, roles_over_time


def roles_of(user: UserRow, log: Sequence[LoggedEvent]) -> dict[int, Role]:
    """The roles of a user by access version: *user* as created, then alternating."""
    changes = sum(
        isinstance(each.event, AccessEvent)
        and each.event.user_id == user.id
        and each.event.change is AccessChange.ROLE_CHANGED
        for each in log
    )
    other = Role.MODERATOR if user.role is Role.USER else Role.USER
    return {user.access_version + number: (user.role, other)[number % 2] for number in range(changes + 1)}


def last_expected(log: Sequence[LoggedEvent], listener: Listener, roles: dict[UUID, Role]) -> int:
    """The last position that a listener must receive; 0: none."""
    projects = roles_over_time(log).get(listener.user_id, NO_ROLES)
    viewer = ExpectedViewer(listener.user_id, roles[listener.user_id], listener.only_status, projects)
    return next((each.position for each in reversed(log) if _is_expected(each, viewer)), 0)


def _is_expected(logged: LoggedEvent, viewer: ExpectedViewer) -> bool:
    """Whether an event leads to an item, or to a resync because of another role in a project."""
    event = logged.event
    if isinstance(event, MembershipEvent):
        return event.user_id == viewer.user_id
    return isinstance(event, TaskEvent) and viewer.expects(event, logged.position) is not None
