"""The rules for recovery codes: with one, a user signs in once without a password and without a provider."""

import secrets
from datetime import timedelta
from typing import Final

from domain.errors import InvalidCredentials
from domain.mail import PREFIXES, LinkPurpose

LIFETIME: Final = timedelta(minutes=10)
PATH: Final = "/auth/recover"
"""The page on which the code is entered."""
BAD_CODE: Final = (
    "This code is not valid: it was used, it has expired, or it is incomplete. The operator of this server can create "
    "another one."
)


def new_code() -> str:
    """A new code: the prefix, and 256 random bits, URL-safe."""
    return PREFIXES[LinkPurpose.RECOVER] + secrets.token_urlsafe(32)


def bad_code() -> InvalidCredentials:
    """The refusal of a code; it never says why the code is refused."""
    return InvalidCredentials(BAD_CODE)
