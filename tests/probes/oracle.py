"""What the policy table permits, calculated in the simplest way: no function of the product takes part."""

from typing import Final

from domain.policy import IN_ARCHIVED_PROJECTS, IN_PROJECT, POLICY, Action, Reach
from domain.project import ProjectRole
from domain.user import Role

ALLOWED: Final = "ALLOWED"
NOT_FOUND: Final = "NOT_FOUND"
FORBIDDEN: Final = "FORBIDDEN"
INVALID: Final = "INVALID"
BAD_REQUEST: Final = "BAD_REQUEST"
ALREADY_EXISTS: Final = "ALREADY_EXISTS"

_NONE: Final[frozenset[Reach]] = frozenset()


def in_project(role: Role, action: Action, member: ProjectRole | None, *, is_archived: bool) -> bool:
    """Whether a user may do this to a project or to its tasks; *member* is the user's role in it."""
    if is_archived and action not in IN_ARCHIVED_PROJECTS:
        return False
    table = POLICY[role].get(action, _NONE)
    return Reach.ANY in table or (member is not None and len(table & IN_PROJECT[member]) > 0)


def with_personal_task(role: Role, action: Action, *, owns: bool, is_assigned: bool) -> bool:
    """Whether a user may do this to a personal task."""
    table = POLICY[role].get(action, _NONE)
    return Reach.ANY in table or (owns and Reach.OWN in table) or (is_assigned and Reach.ASSIGNED in table)


def with_user(role: Role, action: Action, *, is_self: bool) -> bool:
    """Whether a user may do this to a user, or to something that belongs to one."""
    table = POLICY[role].get(action, _NONE)
    return Reach.ANY in table or (is_self and Reach.OWN in table)


def as_author(role: Role, action: Action) -> bool:
    """Whether a user may do this to a comment because the user wrote it."""
    return Reach.AUTHOR in POLICY[role].get(action, _NONE)


def answer(*, may: bool, reads: bool) -> str:
    """The expected answer: the reason of a refusal depends on whether the user may read the object."""
    if may:
        return ALLOWED
    return FORBIDDEN if reads else NOT_FOUND
