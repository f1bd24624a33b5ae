"""The roles in projects of the users whose identities this process holds, kept current by the events of the log."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final
from uuid import UUID
from weakref import WeakValueDictionary

from domain.actor import ProjectRoles
from domain.events import MembershipEvent
from domain.project import ProjectRole

# A role that a newer version has added is no role here: the user sees as little as one who is not a member.
_ROLES: Final = {role.value: role for role in ProjectRole}
_project: Final = lru_cache(maxsize=10_000)(UUID)  # the members of a project share the object with its id


class KnownRoles(ProjectRoles):
    """The roles of one user: one object for all sessions of the user in this process.

    It takes events from the moment when a read of the memberships begins, so it misses none. An event that is older
    than the read is corrected by a later one, because the log has both.
    """

    __slots__ = ("_changed", "_reading", "is_loaded")

    def __init__(self) -> None:
        super().__init__()
        self.is_loaded = False
        self._changed: set[UUID] = set()
        self._reading = 0

    def begin_read(self) -> int:
        """Call this before the memberships are read; the result is for `load`."""
        return self._reading

    def load(self, reading: int, roles: Iterable[str]) -> None:
        """Take the roles that were read, see `roles_of_user`.

        It does nothing if others were taken before, or if events were missed since `begin_read`.
        """
        if self.is_loaded or reading != self._reading:
            return
        for each in roles:
            project, _, name = each.partition(" ")
            role, project_id = _ROLES.get(name), _project(project)
            if role is not None and project_id not in self._changed:
                self._roles[project_id] = role
        self.is_loaded = True

    def apply(self, event: MembershipEvent) -> None:
        """Take an event of this user."""
        if not self.is_loaded:
            self._changed.add(event.project_id)
        if event.role is None:
            self._roles.pop(event.project_id, None)
        else:
            self._roles[event.project_id] = event.role

    def forget(self) -> None:
        """Forget everything, because events were missed: the memberships have to be read again."""
        self._roles.clear()
        self._changed.clear()
        self.is_loaded = False
        self._reading += 1


class Memberships:
    """The roles of the users of this process, as long as an actor refers to them."""

    def __init__(self) -> None:
        self._of_user: WeakValueDictionary[UUID, KnownRoles] = WeakValueDictionary()

    def of_user(self, user_id: UUID) -> KnownRoles:
        """The roles of a user, which have to be loaded if they are not."""
        found = self._of_user.get(user_id)
        if found is None:
            found = self._of_user[user_id] = KnownRoles()
        return found

    def apply(self, event: MembershipEvent) -> None:
        """Change the roles of the event's user."""
        found = self._of_user.get(event.user_id)
        if found is not None:
            found.apply(event)

    def forget_all(self) -> None:
        """Forget all roles, because events were missed."""
        for roles in list(self._of_user.values()):
            roles.forget()
