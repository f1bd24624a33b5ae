"""The actor of a request."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from domain.user import Role

OPERATOR_ID: Final = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Actor:
    """An authenticated user, with the data that decides the user's rights.

    `session_id` is the signed-in device, or None for the operator at the command line.
    `access_version` counts the changes of the user's rights; a cursor with another version is invalid.
    """

    user_id: UUID
    role: Role
    session_id: UUID | None
    access_version: int


OPERATOR: Final = Actor(user_id=OPERATOR_ID, role=Role.ADMIN, session_id=None, access_version=0)
"""The operator at the command line. It uses the same services with the rights of an admin, but it is not a user."""
