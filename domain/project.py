"""The rules for projects: limits, keys, the roles of members, and who may create a project."""

import re
from enum import StrEnum
from typing import Final

from domain.errors import Forbidden, Invalid, LastManager
from domain.text import check_text
from domain.user import Role

MIN_KEY, MAX_KEY = 2, 10
MAX_NAME = 100
MAX_DESCRIPTION = 10_000
MAX_KEYS = 20
"""The keys that a project has and had."""
MAX_MANAGED = 2_000
"""The projects of which a user can be a manager and still create another one."""
MAX_MEMBERSHIPS = 5_000
"""The projects of which a user can be a member. Lists and processes know the projects of each user."""

_KEY: Final = re.compile(rf"[A-Z][A-Z0-9]{{{MIN_KEY - 1},{MAX_KEY - 1}}}")


class ProjectRole(StrEnum):
    """The role of a member of a project; `policy` has the permissions. Each role has those of the roles before it."""

    VIEWER = "VIEWER"
    MEMBER = "MEMBER"
    MANAGER = "MANAGER"


class ProjectCreation(StrEnum):
    """Who may create projects."""

    EVERYONE = "everyone"
    MODERATORS = "moderators"
    ADMINS = "admins"

    def permits(self, role: Role) -> bool:
        """Whether users with this role may create projects."""
        return role in _CREATORS[self]


_CREATORS: Final = {
    ProjectCreation.EVERYONE: frozenset(Role),
    ProjectCreation.MODERATORS: frozenset({Role.MODERATOR, Role.ADMIN}),
    ProjectCreation.ADMINS: frozenset({Role.ADMIN}),
}


def check_key(key: str) -> str:
    """The key in upper case: 2 to 10 ASCII letters and digits; the first is a letter.

    Raises:
        Invalid: anything else.
    """
    found = key.strip().upper() if key.isascii() else ""
    if not _KEY.fullmatch(found):
        raise Invalid(f"key must be a letter, then {MIN_KEY - 1} to {MAX_KEY - 1} letters or digits.", path=("key",))
    return found


def check_name(name: str) -> str:
    """The name, stripped: 1 to 100 characters.

    Raises:
        Invalid: outside these limits.
    """
    return check_text(name, field="name", at_least=1, at_most=MAX_NAME)


def check_description(description: str) -> str:
    """The description: at most 10,000 characters.

    Raises:
        Invalid: beyond that.
    """
    return check_text(description, field="description", at_most=MAX_DESCRIPTION)


def check_key_count(keys: int) -> None:
    """Refuse another key for a project that has and had this many. It keeps all of them for itself.

    Raises:
        Invalid: it has too many.
    """
    if keys >= MAX_KEYS:
        raise Invalid(f"The project has had {keys} keys; use one of them.", path=("key",))


def check_project_count(managed: int) -> None:
    """Refuse another project to a user who manages this many.

    Raises:
        Forbidden: there are too many.
    """
    if managed >= MAX_MANAGED:
        raise Forbidden(f"You manage {managed:,} projects; delete one, or let another user manage it.")


def check_membership_count(memberships: int) -> None:
    """Refuse to add a user who is a member of this many projects to another one.

    Raises:
        Invalid: there are too many.
    """
    if memberships >= MAX_MEMBERSHIPS:
        raise Invalid(f"This user is a member of {memberships:,} projects already, the maximum.", path=("userId",))


def check_managers_remain(active_managers: int, *, path: tuple[str, ...] = ("userId",)) -> None:
    """Refuse to remove the last active manager of a project; *active_managers* is the number after the change.

    Raises:
        LastManager: there would be none.
    """
    if active_managers < 1:
        raise LastManager(
            "This is the last active manager of the project; make another member a manager first.", path=path
        )
