"""Who may create an account without being signed in."""

from enum import StrEnum
from typing import Final

from domain.errors import Forbidden

CLOSED: Final = "Registration is closed on this server; ask an admin for an account."
INVITED_ONLY: Final = "Only invited users can register on this server; ask an admin for an invitation."


class Registration(StrEnum):
    """Who may register. Admins and the operator create users in every mode."""

    OPEN = "open"
    INVITE = "invite"
    CLOSED = "closed"


class RegistrationRefused(Forbidden):
    """Nobody, or only invited users, may register."""


def check_registration(mode: Registration) -> None:
    """Refuse a registration of someone who is not signed in, unless everyone may register.

    Raises:
        RegistrationRefused: registration is closed, or needs an invitation.
    """
    if mode is Registration.CLOSED:
        raise RegistrationRefused(CLOSED)
    if mode is Registration.INVITE:
        raise RegistrationRefused(INVITED_ONLY)


def check_invited_registration(mode: Registration) -> None:
    """Refuse a registration with an invitation, if nobody may register.

    Raises:
        RegistrationRefused: registration is closed.
    """
    if mode is Registration.CLOSED:
        raise RegistrationRefused(CLOSED)
