"""The roles of users in projects over time, from the membership events of a log."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final
from uuid import UUID

from domain.events import LoggedEvent, MembershipEvent
from domain.project import ProjectRole

Roles = Mapping[UUID, ProjectRole]
"""Roles by project."""
_NONE: Final[Roles] = MappingProxyType({})
_NO_USERS: Final[Mapping[UUID, Roles]] = MappingProxyType({})


class RolesOverTime:
    """The roles of one user at each position of the log. *before* are those before its first event."""

    def __init__(self, before: Roles = _NONE) -> None:
        self._positions: list[int] = []
        self._roles: list[Roles] = [dict(before)]

    def add(self, position: int, event: MembershipEvent) -> None:
        """Take the next change of this user."""
        roles = dict(self._roles[-1])
        if event.role is None:
            roles.pop(event.project_id, None)
        else:
            roles[event.project_id] = event.role
        self._positions.append(position)
        self._roles.append(roles)

    def at(self, position: int) -> Roles:
        """The roles after all changes up to a position."""
        return self._roles[bisect_right(self._positions, position)]

    @property
    def last(self) -> Roles:
        """The roles after all changes."""
        return self._roles[-1]

    def changes(self, after: int, up_to: int) -> Sequence[int]:
        """The positions of the changes after *after* and up to *up_to*."""
        return self._positions[bisect_right(self._positions, after) : bisect_right(self._positions, up_to)]


NO_ROLES: Final = RolesOverTime()
"""The roles of a user who is never a member."""


def roles_over_time(log: Iterable[LoggedEvent], before: Mapping[UUID, Roles] = _NO_USERS) -> dict[UUID, RolesOverTime]:
    """The roles of all users by user id. *log* is in order, and *before* has the roles before its first event."""
    found = {user_id: RolesOverTime(roles) for user_id, roles in before.items()}
    for logged in log:
        event = logged.event
        if isinstance(event, MembershipEvent):
            found.setdefault(event.user_id, RolesOverTime()).add(logged.position, event)
    return found
