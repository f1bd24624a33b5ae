"""The rules for invitations."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from domain.errors import Forbidden, Invalid
from domain.mail import bad_link
from domain.project import ProjectRole
from domain.user import Role

LIFETIME: Final = timedelta(days=7)
"""How long an invitation is valid, if nothing else is set."""
KEPT_AFTER_EXPIRY: Final = timedelta(days=30)
"""How long an invitation is listed after its end, used or not."""
MAX_A_DAY: Final = 200
"""The invitations of a user within a day. Each can be a mail to someone who does not want it."""

_OTHER_ADDRESS: Final = "This invitation is for another e-mail address."
_NO_PROJECT: Final = "This invitation creates an account, and you have one: it leads to no project."
_INVITER: Final = "The user who has invited you may not do this any more; ask for another invitation."


def check_invitation(role: Role, project_id: UUID | None, project_role: ProjectRole | None) -> None:
    """Check that an invitation has both a project and a role in it, or neither.

    Raises:
        Invalid: it has only one of them.
    """
    if project_id is not None and project_role is None:
        raise Invalid("projectRole is missing: it is the role in the project.", path=("projectRole",))
    if project_id is None and project_role is not None:
        raise Invalid("projectId is missing: without a project there is no role in it.", path=("projectId",))


def check_count(invitations: int) -> None:
    """Refuse another invitation of a user who has sent this many within a day.

    Raises:
        Invalid: there are too many.
    """
    if invitations >= MAX_A_DAY:
        raise Invalid(f"You have invited {invitations} people within a day, the maximum; try again tomorrow.")


def check_open(expires_at: datetime, accepted_at: datetime | None, now: datetime, *, field: str) -> None:
    """Refuse an invitation that was used or has expired. The message is that for an unknown token.

    Raises:
        InvalidCredentials: it cannot be accepted.
    """
    if accepted_at is not None or expires_at <= now:
        raise bad_link(field)


def check_address(invited: str, email: str) -> None:
    """Refuse another address than the one that was invited, ignoring the case of ASCII letters.

    Raises:
        Forbidden: it is another one.
    """
    if _folded(invited) != _folded(email):
        raise Forbidden(_OTHER_ADDRESS, path=("email",))


def require_project(project_id: UUID | None) -> UUID:
    """The project of an invitation that a user accepts who has an account.

    Raises:
        Invalid: it has none.
    """
    if project_id is None:
        raise Invalid(_NO_PROJECT, path=("token",))
    return project_id


def inviter_lost_right() -> Forbidden:
    """The refusal of an invitation whose inviter may not invite any more."""
    return Forbidden(_INVITER)


def _folded(email: str) -> str:
    return "".join(letter.lower() if letter.isascii() else letter for letter in email)
