"""The access policy: one table of role × action × reach. A reach may be a role in a project.

The services check it, the `viewerCan…` fields return it, the documentation prints it, and tests are generated from it.
A second table has the scope that a personal access token needs for each action.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, Protocol
from uuid import UUID

from domain.access_token import ANY_SCOPE, NO_TOKEN, Scope, missing_scope
from domain.actor import Actor
from domain.errors import Forbidden, NotFound
from domain.project import ProjectRole
from domain.user import Role


class Action(StrEnum):
    """What an actor can do."""

    __hash__ = str.__hash__  # Enum.__hash__ is slow Python code, and the stream looks actions up for each delivery

    CREATE_TASK = "create a task"
    READ_TASK = "read a task"
    UPDATE_TASK = "change a task"
    CHANGE_STATUS = "change a task's status"
    ASSIGN_TASK = "assign a task"
    DELETE_TASK = "delete a task"
    RESTORE_TASK = "restore a deleted task"
    CREATE_COMMENT = "comment on a task"
    UPDATE_COMMENT = "change a comment"
    DELETE_COMMENT = "delete a comment"
    READ_USER = "read a user"
    READ_EMAIL = "read a user's e-mail"
    LIST_USERS = "list users"
    SET_ROLE = "set a user's role"
    SET_ACTIVE = "enable or disable a user"
    DELETE_USER = "delete a user"
    LIST_SESSIONS = "list sessions"
    REVOKE_SESSION = "revoke a session"
    CREATE_TOKEN = "create a personal access token"  # noqa: S105 - a phrase, not a secret
    LIST_TOKENS = "list personal access tokens"
    REVOKE_TOKEN = "revoke a personal access token"  # noqa: S105
    MANAGE_IDENTITIES = "list, link and unlink accounts at sign-in providers"
    CREATE_PROJECT = "create a project"
    READ_PROJECT = "read a project and its members"
    UPDATE_PROJECT = "change a project"
    ARCHIVE_PROJECT = "archive a project"
    DELETE_PROJECT = "delete a project"
    MANAGE_MEMBERS = "manage the members of a project"
    MANAGE_LABELS = "manage the labels of a project"
    MANAGE_INVITATIONS = "invite people to a project"
    MANAGE_SERVICE_ACCOUNTS = "manage the service accounts of a project"
    READ_AUDIT = "read the audit log"


class Reach(StrEnum):
    """The rows that an action may use.

    OWN and ASSIGNED are personal: in a project they permit nothing to the owner and the assignee.
    """

    OWN = "own"
    ASSIGNED = "assigned"
    AUTHOR = "author"
    """Written by the actor, on a task that the actor may read."""
    VIEWER = "viewer"
    """In a project in which the actor has the role VIEWER or a role above it."""
    MEMBER = "member"
    """In a project in which the actor has the role MEMBER or a role above it."""
    MANAGER = "manager"
    """In a project in which the actor has the role MANAGER."""
    ANY = "any"
    ONE_PROJECT = "one project"
    """No rows of its own: it limits the reaches in projects to the project of the actor's token."""


_OWN: Final = frozenset({Reach.OWN})
_VIEWER: Final = frozenset({Reach.VIEWER})
_MANAGER: Final = frozenset({Reach.MANAGER})
_ANY: Final = frozenset({Reach.ANY})

_USER: Final[Mapping[Action, frozenset[Reach]]] = {
    Action.CREATE_TASK: frozenset({Reach.OWN, Reach.MEMBER}),
    Action.READ_TASK: frozenset({Reach.OWN, Reach.ASSIGNED, Reach.VIEWER}),
    Action.UPDATE_TASK: frozenset({Reach.OWN, Reach.MEMBER}),
    Action.CHANGE_STATUS: frozenset({Reach.OWN, Reach.ASSIGNED, Reach.MEMBER}),
    Action.ASSIGN_TASK: frozenset({Reach.OWN, Reach.MEMBER}),
    Action.DELETE_TASK: frozenset({Reach.OWN, Reach.MANAGER}),
    Action.RESTORE_TASK: frozenset({Reach.OWN, Reach.MANAGER}),
    Action.CREATE_COMMENT: frozenset({Reach.OWN, Reach.ASSIGNED, Reach.VIEWER}),
    Action.UPDATE_COMMENT: frozenset({Reach.AUTHOR}),
    Action.DELETE_COMMENT: frozenset({Reach.AUTHOR, Reach.OWN, Reach.MANAGER}),
    Action.READ_USER: _ANY,
    Action.READ_EMAIL: _OWN,
    Action.DELETE_USER: _OWN,
    Action.LIST_SESSIONS: _OWN,
    Action.REVOKE_SESSION: _OWN,
    Action.CREATE_TOKEN: _OWN,
    Action.LIST_TOKENS: _OWN,
    Action.REVOKE_TOKEN: _OWN,
    Action.MANAGE_IDENTITIES: _OWN,
    Action.CREATE_PROJECT: _ANY,
    Action.READ_PROJECT: _VIEWER,
    Action.UPDATE_PROJECT: _MANAGER,
    Action.ARCHIVE_PROJECT: _MANAGER,
    Action.DELETE_PROJECT: _MANAGER,
    Action.MANAGE_MEMBERS: _MANAGER,
    Action.MANAGE_LABELS: _MANAGER,
    Action.MANAGE_INVITATIONS: _MANAGER,
    Action.MANAGE_SERVICE_ACCOUNTS: _MANAGER,
}

POLICY: Final[Mapping[Role, Mapping[Action, frozenset[Reach]]]] = {
    Role.USER: _USER,
    Role.MODERATOR: {
        **_USER,
        Action.READ_TASK: _ANY,
        Action.DELETE_TASK: _ANY,
        Action.RESTORE_TASK: _ANY,
        Action.DELETE_COMMENT: _ANY,
        Action.READ_PROJECT: _ANY,  # because a moderator reads every task
    },
    Role.ADMIN: {
        **dict.fromkeys(Action, _ANY),
        # Sessions show where a user was, so admins do not see them. An admin can disable the user instead.
        Action.LIST_SESSIONS: _OWN,
        Action.REVOKE_SESSION: _OWN,
        # A token acts as its user, so only the user creates one.
        Action.CREATE_TOKEN: _OWN,
        Action.LIST_TOKENS: _OWN,
        Action.REVOKE_TOKEN: _OWN,
        # A linked account can sign in as the user.
        Action.MANAGE_IDENTITIES: _OWN,
    },
}
"""A role may not do the actions that are missing here."""

_TASKS_READ: Final = frozenset({Scope.TASKS_READ})
_TASKS_WRITE: Final = frozenset({Scope.TASKS_WRITE})
_PROJECTS: Final = frozenset({Scope.PROJECTS_MANAGE})
_ACCOUNT: Final = frozenset({Scope.ACCOUNT})
_ADMIN: Final = frozenset({Scope.ADMIN})

SCOPES: Final[Mapping[Action, frozenset[Scope]]] = {
    Action.CREATE_TASK: _TASKS_WRITE,
    Action.READ_TASK: _TASKS_READ,
    Action.UPDATE_TASK: _TASKS_WRITE,
    Action.CHANGE_STATUS: _TASKS_WRITE,
    Action.ASSIGN_TASK: _TASKS_WRITE,
    Action.DELETE_TASK: _TASKS_WRITE,
    Action.RESTORE_TASK: _TASKS_WRITE,
    Action.CREATE_COMMENT: _TASKS_WRITE,
    Action.UPDATE_COMMENT: _TASKS_WRITE,
    Action.DELETE_COMMENT: _TASKS_WRITE,
    Action.READ_USER: ANY_SCOPE,
    Action.READ_EMAIL: _ACCOUNT,
    Action.LIST_USERS: _ADMIN,
    Action.SET_ROLE: _ADMIN,
    Action.READ_AUDIT: _ADMIN,
    Action.SET_ACTIVE: _ADMIN,
    Action.DELETE_USER: NO_TOKEN,
    Action.LIST_SESSIONS: _ACCOUNT,
    Action.REVOKE_SESSION: _ACCOUNT,
    Action.CREATE_TOKEN: NO_TOKEN,
    Action.LIST_TOKENS: NO_TOKEN,
    Action.REVOKE_TOKEN: NO_TOKEN,
    Action.MANAGE_IDENTITIES: NO_TOKEN,
    Action.CREATE_PROJECT: _PROJECTS,
    Action.READ_PROJECT: _TASKS_READ,
    Action.UPDATE_PROJECT: _PROJECTS,
    Action.ARCHIVE_PROJECT: _PROJECTS,
    Action.DELETE_PROJECT: _PROJECTS,
    Action.MANAGE_MEMBERS: _PROJECTS,
    Action.MANAGE_LABELS: _PROJECTS,
    # The person who accepts an invitation gets an account, which would outlive the revocation of the token.
    Action.MANAGE_INVITATIONS: NO_TOKEN,
    Action.MANAGE_SERVICE_ACCOUNTS: NO_TOKEN,  # it includes their tokens
}
"""The scopes of which a token needs one for an action. Only a session may do what has none."""

IN_PROJECT: Final[Mapping[ProjectRole, frozenset[Reach]]] = {
    ProjectRole.VIEWER: frozenset({Reach.VIEWER}),
    ProjectRole.MEMBER: frozenset({Reach.VIEWER, Reach.MEMBER}),
    ProjectRole.MANAGER: frozenset({Reach.VIEWER, Reach.MEMBER, Reach.MANAGER}),
}
"""The reaches of a member in the project, by role."""

IN_ARCHIVED_PROJECTS: Final = frozenset(
    {
        *(Action.READ_TASK, Action.READ_PROJECT, Action.ARCHIVE_PROJECT, Action.DELETE_PROJECT),
        Action.MANAGE_SERVICE_ACCOUNTS,  # because their tokens can be revoked
    }
)
"""What can be done to an archived project. Everything else that a project permits needs an active one."""


ONLY_IN_PROJECT: Final = "This token is for one project: use one without a project for everything else."
_ARCHIVED: Final = "The project is archived: make it active again before you change anything in it."


class TaskPeople(Protocol):
    """The data of a task that the policy needs. A task without a project is personal."""

    @property
    def owner_id(self) -> UUID: ...
    @property
    def assignee_id(self) -> UUID | None: ...
    @property
    def project_id(self) -> UUID | None: ...


_NOTHING: Final[frozenset[Reach]] = frozenset()

_IN_PROJECTS: Final = frozenset({Reach.AUTHOR, Reach.VIEWER, Reach.MEMBER, Reach.MANAGER})
_OF_ONE_PROJECT: Final[Mapping[Action, frozenset[Reach]]] = {
    action: (reaches & _IN_PROJECTS) | {Reach.ONE_PROJECT}
    for action, reaches in _USER.items()
    if not reaches.isdisjoint(_IN_PROJECTS)
} | {Action.READ_USER: _ANY}
"""What a token for one project may do: what its user may do there, and nothing personal."""


def reach(role: Role, action: Action) -> frozenset[Reach]:
    """The rows that a role may use with an action; empty = none."""
    return POLICY[role].get(action, _NOTHING)


def reach_of(actor: Actor, action: Action) -> frozenset[Reach]:
    """The rows that an actor may use with an action; empty = none, also if the actor's token lacks the scope.

    A token for one project has the reaches of its user in projects only, and `ONE_PROJECT`.
    """
    scopes = actor.scopes
    if scopes is not None and scopes.isdisjoint(SCOPES[action]):
        return _NOTHING
    if actor.project_id is not None:
        return _OF_ONE_PROJECT.get(action, _NOTHING)
    return POLICY[actor.role].get(action, _NOTHING)


def may(
    actor: Actor, action: Action, task: TaskPeople, role: ProjectRole | None = None, *, is_archived: bool = False
) -> bool:
    """Whether the actor may do this to this task.

    *role* is the actor's role in the task's project, and *is_archived* is about that project; a personal task has
    neither.
    """
    if task.project_id is not None:
        return may_project(actor, action, role, is_archived=is_archived)
    allowed = reach_of(actor, action)
    return (
        Reach.ANY in allowed
        or (Reach.OWN in allowed and task.owner_id == actor.user_id)
        or (Reach.ASSIGNED in allowed and task.assignee_id == actor.user_id)
    )


def may_comment(
    actor: Actor,
    action: Action,
    author_id: UUID,
    task: TaskPeople,
    role: ProjectRole | None = None,
    *,
    is_archived: bool = False,
) -> bool:
    """Whether the actor may do this to a comment of this author on this task, see `may`."""
    if not may(actor, Action.READ_TASK, task, role, is_archived=is_archived) or is_archived:
        return False
    is_author = author_id == actor.user_id and Reach.AUTHOR in reach_of(actor, action)
    return is_author or may(actor, action, task, role)


def require_comment(
    actor: Actor,
    action: Action,
    author_id: UUID,
    task: TaskPeople,
    role: ProjectRole | None = None,
    *,
    is_archived: bool = False,
    path: tuple[str, ...] = ("id",),
) -> None:
    """Refuse unless `may_comment`; *path* is the input field of the error. The actor may read the task.

    Raises:
        Forbidden: the actor may not.
    """
    if may_comment(actor, action, author_id, task, role, is_archived=is_archived):
        return
    _require_scope(actor, action, path)
    if may_comment(actor, action, author_id, task, role):
        raise Forbidden(_ARCHIVED, path=path)
    raise Forbidden(f"You may {action.value} only if you wrote it.", path=path)


def may_user(actor: Actor, action: Action, user_id: UUID) -> bool:
    """Whether the actor may do this to this user, or to something that belongs to this user."""
    allowed = reach_of(actor, action)
    return Reach.ANY in allowed or (Reach.OWN in allowed and user_id == actor.user_id)


def require(
    actor: Actor,
    action: Action,
    task: TaskPeople,
    role: ProjectRole | None = None,
    *,
    is_archived: bool = False,
    path: tuple[str, ...] = ("id",),
) -> None:
    """Refuse unless `may`; *path* is the input field of the error.

    Raises:
        NotFound: the actor may not see the task.
        Forbidden: the actor may see the task, but not do this.
    """
    if may(actor, action, task, role, is_archived=is_archived):
        return
    if not may(actor, Action.READ_TASK, task, role, is_archived=is_archived):
        raise NotFound("Task not found", path=path)
    _require_scope(actor, action, path)
    if task.project_id is not None:
        raise _forbidden_in_project(actor, action, role, path)
    whose = "your own or assigned to you" if Reach.ASSIGNED in reach_of(actor, action) else "your own"
    raise Forbidden(f"With role {actor.role.name} you may {action.value} only if it is {whose}.", path=path)


def require_user(actor: Actor, action: Action, user_id: UUID, *, path: tuple[str, ...] = ("userId",)) -> None:
    """Refuse unless the actor may do this to this user; *path* is the input field of the error.

    Raises:
        Forbidden: the actor may not.
    """
    if not may_user(actor, action, user_id):
        _require_scope(actor, action, path)
        if actor.project_id is not None:
            raise Forbidden(ONLY_IN_PROJECT, path=path)
        raise Forbidden(f"With role {actor.role.name} you may not {action.value}; ask an admin.", path=path)


def may_project(actor: Actor, action: Action, role: ProjectRole | None, *, is_archived: bool = False) -> bool:
    """Whether the actor may do this to a project in which the actor has this role; None: the actor is not a member."""
    if is_archived and action not in IN_ARCHIVED_PROJECTS:
        return False
    allowed = reach_of(actor, action)
    return Reach.ANY in allowed or (role is not None and not allowed.isdisjoint(IN_PROJECT[role]))


def require_project(
    actor: Actor,
    action: Action,
    role: ProjectRole | None,
    *,
    is_archived: bool = False,
    path: tuple[str, ...] = ("projectId",),
) -> None:
    """Refuse unless `may_project`; *path* is the input field of the error.

    Raises:
        NotFound: the actor may not see the project.
        Forbidden: the actor may see the project, but not do this.
    """
    if may_project(actor, action, role, is_archived=is_archived):
        return
    if not may_project(actor, Action.READ_PROJECT, role):
        raise NotFound("Project not found", path=path)
    _require_scope(actor, action, path)
    raise _forbidden_in_project(actor, action, role, path)


def _forbidden_in_project(actor: Actor, action: Action, role: ProjectRole | None, path: tuple[str, ...]) -> Forbidden:
    """The refusal of something in a project that the actor may see."""
    if may_project(actor, action, role):
        return Forbidden(_ARCHIVED, path=path)
    least = next((each for each in ProjectRole if may_project(actor, action, each)), None)
    if least is None:
        return Forbidden(f"You may not {action.value} in a project.", path=path)
    needed = f"the role {least.name} in the project"
    return Forbidden(f"You may {action.value} only with {needed}; ask a manager.", path=path)


def _require_scope(actor: Actor, action: Action, path: tuple[str, ...]) -> None:
    """Refuse with the missing scope, if that is why the actor may not do this."""
    if actor.scopes is not None and actor.scopes.isdisjoint(SCOPES[action]):
        raise Forbidden(missing_scope(SCOPES[action]), path=path)
