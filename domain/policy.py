"""The access policy: one table of role × action × reach.

The services check it, the `viewerCan…` fields return it, the documentation prints it, and tests are generated from it.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, Protocol
from uuid import UUID

from domain.actor import Actor
from domain.errors import Forbidden, NotFound
from domain.user import Role


class Action(StrEnum):
    """What an actor can do."""

    CREATE_TASK = "create a task"
    READ_TASK = "read a task"
    UPDATE_TASK = "change a task"
    CHANGE_STATUS = "change a task's status"
    ASSIGN_TASK = "assign a task"
    DELETE_TASK = "delete a task"
    READ_USER = "read a user"
    READ_EMAIL = "read a user's e-mail"
    LIST_USERS = "list users"
    SET_ROLE = "set a user's role"
    SET_ACTIVE = "enable or disable a user"
    LIST_SESSIONS = "list sessions"
    REVOKE_SESSION = "revoke a session"


class Reach(StrEnum):
    """The rows that an action may use."""

    OWN = "own"
    ASSIGNED = "assigned"
    ANY = "any"


_OWN: Final = frozenset({Reach.OWN})
_OWN_OR_ASSIGNED: Final = frozenset({Reach.OWN, Reach.ASSIGNED})
_ANY: Final = frozenset({Reach.ANY})

_USER: Final[Mapping[Action, frozenset[Reach]]] = {
    Action.CREATE_TASK: _OWN,
    Action.READ_TASK: _OWN_OR_ASSIGNED,
    Action.UPDATE_TASK: _OWN,
    Action.CHANGE_STATUS: _OWN_OR_ASSIGNED,
    Action.ASSIGN_TASK: _OWN,
    Action.DELETE_TASK: _OWN,
    Action.READ_USER: _ANY,
    Action.READ_EMAIL: _OWN,
    Action.LIST_SESSIONS: _OWN,
    Action.REVOKE_SESSION: _OWN,
}

POLICY: Final[Mapping[Role, Mapping[Action, frozenset[Reach]]]] = {
    Role.USER: _USER,
    Role.MODERATOR: {**_USER, Action.READ_TASK: _ANY, Action.DELETE_TASK: _ANY},
    Role.ADMIN: {
        **dict.fromkeys(Action, _ANY),
        # Sessions show where a user was, so admins do not see them. An admin can disable the user instead.
        Action.LIST_SESSIONS: _OWN,
        Action.REVOKE_SESSION: _OWN,
    },
}
"""A role may not do the actions that are missing here."""


class TaskPeople(Protocol):
    """The data of a task that the policy needs."""

    @property
    def owner_id(self) -> UUID: ...
    @property
    def assignee_id(self) -> UUID | None: ...


def reach(role: Role, action: Action) -> frozenset[Reach]:
    """The rows that a role may use with an action; empty = none."""
    return POLICY[role].get(action, frozenset())


def may(actor: Actor, action: Action, task: TaskPeople) -> bool:
    """Whether the actor may do this to this task."""
    allowed = reach(actor.role, action)
    return (
        Reach.ANY in allowed
        or (Reach.OWN in allowed and task.owner_id == actor.user_id)
        or (Reach.ASSIGNED in allowed and task.assignee_id == actor.user_id)
    )


def may_user(actor: Actor, action: Action, user_id: UUID) -> bool:
    """Whether the actor may do this to this user, or to something that belongs to this user."""
    allowed = reach(actor.role, action)
    return Reach.ANY in allowed or (Reach.OWN in allowed and user_id == actor.user_id)


def require(actor: Actor, action: Action, task: TaskPeople, *, path: tuple[str, ...] = ("id",)) -> None:
    """Refuse unless the actor may do this to this task; *path* is the input field of the error.

    Raises:
        NotFound: the actor may not see the task.
        Forbidden: the actor may see the task, but not do this.
    """
    if may(actor, action, task):
        return
    if not may(actor, Action.READ_TASK, task):
        raise NotFound("Task not found", path=path)
    whose = "your own or assigned to you" if Reach.ASSIGNED in reach(actor.role, action) else "your own"
    raise Forbidden(f"With role {actor.role.name} you may {action.value} only if it is {whose}.", path=path)


def require_user(actor: Actor, action: Action, user_id: UUID, *, path: tuple[str, ...] = ("userId",)) -> None:
    """Refuse unless the actor may do this to this user; *path* is the input field of the error.

    Raises:
        Forbidden: the actor may not.
    """
    if not may_user(actor, action, user_id):
        raise Forbidden(f"With role {actor.role.name} you may not {action.value}; ask an admin.", path=path)
