"""A model of projects and their members, and of who was a member when."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from uuid import UUID

from domain.events import MembershipEvent
from domain.project import ProjectRole

Roles = Mapping[UUID, ProjectRole]
"""The roles of a user by project."""
NO_ROLES: Roles = MappingProxyType({})


@dataclass(frozen=True)
class Project:
    """A row of projects with its members."""

    id: UUID
    members: Mapping[UUID, ProjectRole] = field(default_factory=dict)
    archived: bool = False
    deleted: bool = False


class Projects:
    """All projects; the roles of users are kept with the times at which they changed."""

    def __init__(self) -> None:
        self.rows: dict[UUID, Project] = {}
        self.project_of: dict[UUID, UUID | None] = {}
        """By task, for those that are in a project or were in one."""
        self._times: dict[UUID, list[float]] = {}
        self._roles: dict[UUID, list[Roles]] = {}

    def add(self, project_id: UUID, members: Mapping[UUID, ProjectRole]) -> None:
        """A project that is there from the beginning."""
        self.rows[project_id] = Project(project_id, dict(members))
        for user_id in members:
            self._note(user_id, 0.0)

    def allows_changes(self, project_id: UUID) -> bool:
        """Whether its tasks and its members can change."""
        project = self.rows[project_id]
        return not (project.archived or project.deleted)

    def archive(self, project_id: UUID) -> None:
        """Archive a project, or make it active again."""
        self.rows[project_id] = replace(self.rows[project_id], archived=not self.rows[project_id].archived)

    def set_role(self, user_id: UUID, project_id: UUID, role: ProjectRole | None, now: float) -> bool:
        """Give a user a role, or None; returns whether that is a change that the project allows."""
        project = self.rows[project_id]
        # Each member may leave an archived project.
        if project.deleted or (project.archived and role is not None) or project.members.get(user_id) is role:
            return False
        members = {key: value for key, value in project.members.items() if key != user_id}
        self.rows[project_id] = replace(project, members=members | ({user_id: role} if role is not None else {}))
        self._note(user_id, now)
        return True

    def delete(self, project_id: UUID, now: float) -> list[UUID]:
        """Delete a project; returns its members."""
        members = list(self.rows[project_id].members)
        self.rows[project_id] = Project(project_id, deleted=True)
        for user_id in members:
            self._note(user_id, now)
        return members

    def restore(self, rows: Mapping[UUID, Project], now: float) -> None:
        """Restore the projects of a backup."""
        users = {user_id for each in (*rows.values(), *self.rows.values()) for user_id in each.members}
        self.rows = dict(rows)
        for user_id in users:
            self._note(user_id, now)

    def roles(self, user_id: UUID) -> Roles:
        """The roles of a user now."""
        return self._roles[user_id][-1] if user_id in self._roles else NO_ROLES

    def since(self, user_id: UUID, instant: float) -> list[tuple[float, Roles]]:
        """The roles of a user at an instant and after each later change, with the times."""
        times = self._times.get(user_id)
        if times is None:
            return [(0.0, NO_ROLES)]
        first = max(0, bisect_right(times, instant) - 1)
        return list(zip(times[first:], self._roles[user_id][first:], strict=True))

    def had_role(self, user_id: UUID, project_id: UUID, role: ProjectRole | None, since: float) -> bool:
        """Whether a user had this role, or none, at any time from an instant on."""
        return any(roles.get(project_id) is role for _, roles in self.since(user_id, since))

    def _note(self, user_id: UUID, now: float) -> None:
        roles = {each.id: each.members[user_id] for each in self.rows.values() if user_id in each.members}
        if user_id not in self._times:
            self._times[user_id], self._roles[user_id] = [0.0], [roles if now == 0.0 else {}]
        self._times[user_id].append(now)
        self._roles[user_id].append(roles)


def is_of_user(event: object, user_id: UUID, project_id: UUID | None) -> bool:
    """Whether an event changes a role of this user in this project, or in any one."""
    if not isinstance(event, MembershipEvent) or event.user_id != user_id:
        return False
    return project_id in {None, event.project_id}
