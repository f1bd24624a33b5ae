"""Ways to get memberships wrong, each of which the histories must notice."""

from collections.abc import Callable
from uuid import UUID

from domain.events import LoggedEvent, MembershipEvent
from streaming import subscriber_index
from streaming.memberships import KnownRoles, Memberships
from streaming.stream import Stream
from streaming.subscriber_index import SubscriberIndex
from streaming.visibility import SubscriberView

Patch = tuple[object, str, object]

_apply_access, _dispatch = Stream._apply_access, Stream._dispatch
_first_resync = SubscriberView.first_resync
_change_membership = SubscriberIndex.change_membership


def _do_not_read_ahead(self: Stream, logged: LoggedEvent) -> None:
    if not isinstance(logged.event, MembershipEvent):
        _apply_access(self, logged)


def _apply_at_dispatch(self: Stream, logged: LoggedEvent) -> None:
    if isinstance(logged.event, MembershipEvent):
        _apply_access(self, logged)
    _dispatch(self, logged)


def _do_not_resync(self: Stream, logged: LoggedEvent) -> None:
    if not isinstance(logged.event, MembershipEvent):
        _dispatch(self, logged)


def _do_not_resync_those_who_join(self: Stream, logged: LoggedEvent) -> None:
    if not (isinstance(logged.event, MembershipEvent) and logged.event.role is not None):
        _dispatch(self, logged)


def _replay_across_changes(self: SubscriberView, events: list[LoggedEvent]) -> int | None:
    return _first_resync(self, [each for each in events if not isinstance(each.event, MembershipEvent)])


def _keep_those_who_leave(self: SubscriberIndex, user_id: UUID, project_id: UUID, change: Callable[[], None]) -> None:
    before = {key: dict(group) for key, group in self._by_project.get(project_id, {}).items()}
    _change_membership(self, user_id, project_id, change)
    if before:
        self._by_project[project_id] = before | self._by_project.get(project_id, {})


def _add_none_who_joins(self: SubscriberIndex, user_id: UUID, project_id: UUID, change: Callable[[], None]) -> None:
    change()
    for subscriber in self.by_user(user_id):
        self._remove_from_project(project_id, subscriber)


def _keep_the_first_role(self: KnownRoles, event: MembershipEvent) -> None:
    if event.role is None:
        self._roles.pop(event.project_id, None)
    else:
        self._roles.setdefault(event.project_id, event.role)


MEMBERSHIP_MUTANTS: dict[str, list[Patch]] = {
    "roles in projects are not changed by events": [(Memberships, "apply", lambda self, event: None)],
    "another role in a project is overlooked": [(KnownRoles, "apply", _keep_the_first_role)],
    "roles in projects are changed only at dispatch": [
        (Stream, "_apply_access", _do_not_read_ahead),
        (Stream, "_dispatch", _apply_at_dispatch),
    ],
    "a live subscriber is not resynced": [(Stream, "_dispatch", _do_not_resync)],
    "a subscriber who joins is not resynced": [(Stream, "_dispatch", _do_not_resync_those_who_join)],
    "a replay passes changes of memberships": [(SubscriberView, "first_resync", _replay_across_changes)],
    "who leaves stays in the index": [(SubscriberIndex, "change_membership", _keep_those_who_leave)],
    "who joins is not in the index": [(SubscriberIndex, "change_membership", _add_none_who_joins)],
    "members with other filters share one check": [(subscriber_index, "_group_key", lambda project_id, _: project_id)],
    "the index is kept after a break": [(SubscriberIndex, "forget_memberships", lambda self: None)],
    "roles in projects are kept after a break": [(Memberships, "forget_all", lambda self: None)],
}
"""The mutants: a description, and the patches."""
