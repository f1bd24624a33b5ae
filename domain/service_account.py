"""The rules for service accounts: users that are programs, and have access tokens only."""

from typing import Final
from uuid import UUID

from domain.errors import Forbidden, Invalid
from domain.user import Role

MAX_OF_PROJECT: Final = 100
"""The service accounts of a project."""
MAX_LISTED: Final = 1_000


def email_of(account_id: UUID) -> str:
    """The stored address: it is unique, and no mail can reach it (RFC 2606, section 2)."""
    return f"{account_id.hex}@service.invalid"


def check_count(accounts: int) -> None:
    """Refuse another service account of a project that has this many.

    Raises:
        Forbidden: the project has too many.
    """
    if accounts >= MAX_OF_PROJECT:
        raise Forbidden(f"The project has {accounts} service accounts, the maximum.", path=("projectId",))


def check_role(role: Role, project_id: UUID | None) -> None:
    """Check the role of a service account; *project_id* is the project to which it belongs, or None.

    Raises:
        Invalid: it belongs to a project, and the role reaches more than that.
    """
    if project_id is not None and role is not Role.USER:
        raise Invalid("A service account of a project has the role USER.", path=("role",))
