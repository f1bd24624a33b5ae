"""The actor of a request."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final
from uuid import UUID

from domain.access_token import Scope
from domain.project import ProjectRole
from domain.user import Role

OPERATOR_ID: Final = UUID(int=0)

_NONE: Final[Mapping[UUID, ProjectRole]] = MappingProxyType({})


class ProjectRoles:
    """The roles of a user in projects, as this process knows them. `streaming.memberships` keeps them current.

    They decide what the stream delivers. Services read and lock the memberships instead.
    """

    __slots__ = ("__weakref__", "_roles")

    def __init__(self, roles: Mapping[UUID, ProjectRole] = _NONE) -> None:
        self._roles = dict(roles)

    def of(self, project_id: UUID | None) -> ProjectRole | None:
        """The role in a project; None: the user is not a member."""
        return self._roles.get(project_id) if project_id is not None else None

    def __contains__(self, project_id: object) -> bool:
        return project_id in self._roles

    def __iter__(self) -> Iterator[UUID]:
        """The projects."""
        return iter(tuple(self._roles))


NO_ROLES: Final = ProjectRoles()


class RoleInOneProject(ProjectRoles):
    """The role in the only project that a token reaches, from the roles of its user."""

    __slots__ = ("_all", "_project_id")

    def __init__(self, roles: ProjectRoles, project_id: UUID) -> None:
        super().__init__()
        self._all, self._project_id = roles, project_id

    def of(self, project_id: UUID | None) -> ProjectRole | None:
        """The role in this project; None in all others."""
        return self._all.of(project_id) if project_id == self._project_id else None

    def __contains__(self, project_id: object) -> bool:
        return project_id == self._project_id and project_id in self._all

    def __iter__(self) -> Iterator[UUID]:
        return iter((self._project_id,) if self._project_id in self._all else ())


@dataclass(frozen=True, slots=True)
class Actor:
    """An authenticated user, with the data that decides the user's rights.

    `session_id` is the signed-in device; it is None for the operator at the command line, and for a personal access
    token, whose id is `token_id`. `scopes` are those of the token with those that they include; None is no restriction.
    `role` is the one as which a token acts, see `access_token.role_with`.
    `access_version` counts the changes of the user's rights; a cursor with another version is invalid.
    `projects` has the roles in projects, for the stream only.
    `finds_everyone` says whether lists of users have all users, or those who share a project with the actor.
    `creates_projects` says whether the settings permit users with this role to create projects.
    `name` is the username, for the audit log.
    `project_id` is the only project that a token reaches; None: the token is not limited to one.
    """

    user_id: UUID
    role: Role
    session_id: UUID | None
    access_version: int
    projects: ProjectRoles = field(default=NO_ROLES, compare=False, repr=False)
    finds_everyone: bool = field(default=True, compare=False)
    creates_projects: bool = field(default=True, compare=False)
    token_id: UUID | None = None
    scopes: frozenset[Scope] | None = None
    name: str | None = field(default=None, compare=False)
    project_id: UUID | None = None

    @property
    def grant_id(self) -> UUID | None:
        """The session or the token that the request proved: what can be revoked."""
        return self.session_id or self.token_id


OPERATOR: Final = Actor(
    user_id=OPERATOR_ID, role=Role.ADMIN, session_id=None, access_version=0, name="the operator (command line)"
)
"""The operator at the command line. It uses the same services with the rights of an admin, but it is not a user."""
