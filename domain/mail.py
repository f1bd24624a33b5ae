"""The rules for e-mail: kinds, how long a mail is tried, and the one-time links in it.

A mail is a row without its text and without a secret. The text is made when it is sent. The token of its link is
derived from the id of the row and a secret of the server: each attempt sends the same link, and only a hash is stored.
"""

import base64
import hashlib
import hmac
from datetime import timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from domain.errors import Forbidden, InvalidCredentials

LINK_LIFETIME: Final = timedelta(hours=1)
"""How long a link for a new password, or for the verification of an address, is valid."""
LEASE: Final = timedelta(minutes=2)
"""How long a process has for an attempt. Then another one tries again: the process may have died."""
ATTEMPT_SECONDS: Final = 60.0
"""How long an attempt lasts at most, well within the lease."""
RETENTION: Final = timedelta(days=7)
"""How long a mail is kept after it was sent or given up, if nothing else is set."""
MAX_ERROR: Final = 200
"""Characters of the stored reason of a failed attempt."""
MAX_TOKEN: Final = 200
"""Characters of a token that is looked up; longer texts are no tokens."""

_FIRST_WAIT: Final = timedelta(seconds=10)
_LONGEST_WAIT: Final = timedelta(minutes=30)

NO_MAIL: Final = "This server sends no e-mail; ask an admin."
BAD_LINK: Final = "This link is not valid: it was used, it has expired, or it is incomplete. Request another one."


class MailKind(StrEnum):
    """What a mail is about."""

    PASSWORD_RESET = "PASSWORD_RESET"  # noqa: S105 - the name of a kind
    EMAIL_VERIFICATION = "EMAIL_VERIFICATION"
    INVITATION = "INVITATION"


class LinkPurpose(StrEnum):
    """What a one-time token permits."""

    RESET = "RESET"
    VERIFY = "VERIFY"
    INVITE = "INVITE"
    RECOVER = "RECOVER"


PREFIXES: Final = {
    LinkPurpose.RESET: "trv_rst_",
    LinkPurpose.VERIFY: "trv_vrf_",
    LinkPurpose.INVITE: "trv_inv_",
    LinkPurpose.RECOVER: "trv_rec_",
}
"""The beginning of the token's text. A token for one purpose is unknown for another."""
PAGES: Final = {
    LinkPurpose.RESET: "/reset-password",
    LinkPurpose.VERIFY: "/verify-email",
    LinkPurpose.INVITE: "/join",
}
"""The page of each link. A recovery code is entered by hand, see `recovery`."""


def link_token(purpose: LinkPurpose, row_id: UUID, key: bytes) -> str:
    """The token of a row: the prefix, and 256 bits of HMAC-SHA-256 over purpose and id, URL-safe."""
    digest = hmac.new(key, f"one-time link:{PREFIXES[purpose]}{row_id}".encode(), hashlib.sha256).digest()
    return PREFIXES[purpose] + base64.urlsafe_b64encode(digest).decode("ascii").rstrip("=")


def link_hash(purpose: LinkPurpose, token: str) -> bytes | None:
    """The stored hash of a token: SHA-256, 32 bytes. None if the text is no token for this purpose."""
    if not token.startswith(PREFIXES[purpose]) or len(token) > MAX_TOKEN:
        return None
    # A client may send any text as a token, including lone surrogates. Such a token is unknown, and no error is raised.
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()


def link(purpose: LinkPurpose, token: str, public_url: str | None) -> str:
    """The address of the page with the token. It is in the fragment, which browsers send neither to a server nor as a
    Referer. Without *public_url* it begins with the path.
    """
    return f"{public_url or ''}{PAGES[purpose]}#token={token}"


def wait_after(attempts: int) -> timedelta:
    """The pause after this number of failed attempts: 10 seconds, doubled each time, at most half an hour."""
    doublings = min(max(attempts, 1) - 1, 20)
    return min(_FIRST_WAIT * (1 << doublings), _LONGEST_WAIT)


def require_mail(sends_mail: bool) -> None:
    """Refuse if the server sends no mail.

    Raises:
        Forbidden: it does not.
    """
    if not sends_mail:
        raise Forbidden(NO_MAIL)


def bad_link(field: str = "token") -> InvalidCredentials:
    """The refusal of a token; it never says why the token is refused."""
    return InvalidCredentials(BAD_LINK, path=(field,))
