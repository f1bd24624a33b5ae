"""Who is asking."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from domain.user import Role

NOBODY: Final = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody authenticated, with what decides over their rights at this moment.

    `session_id` is the signed-in device, or None for the operator at the command line.
    `access_version` counts the changes of the user's rights; a cursor taken under another one is stale.
    """

    user_id: UUID
    role: Role
    session_id: UUID | None
    access_version: int


OPERATOR: Final = Actor(user_id=NOBODY, role=Role.ADMIN, session_id=None, access_version=0)
"""Whoever has a shell on the server: passes the same services with an admin's rights, and is no user."""
