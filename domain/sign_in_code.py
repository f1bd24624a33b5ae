"""The rules for sign-in codes: a program on the user's machine signs in through the user's browser.

The program listens on the loopback interface (RFC 8252, section 7.3). The browser brings it a code, which it exchanges
for a session. A code is bound to a secret of the program (PKCE, RFC 7636) and to the program's port.
"""

import hashlib
import hmac
import re
import secrets
from datetime import timedelta
from typing import Final

from domain import base64url
from domain.errors import Invalid
from domain.text import is_storable, without_control_characters

LIFETIME: Final = timedelta(minutes=1)
MAX_CLIENT_NAME: Final = 100
MAX_PORT: Final = 65_535

_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
"""A SHA-256 in base64url without padding."""
_VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}")
"""RFC 7636, section 4.1."""


def new_code() -> str:
    """A code: 256 random bits, URL-safe."""
    return secrets.token_urlsafe(32)


def challenge_of(verifier: str) -> str:
    """The challenge of a verifier with the method S256 (RFC 7636, section 4.2)."""
    return base64url.encode(hashlib.sha256(verifier.encode("ascii")).digest())


def is_verifier_of(challenge: str, verifier: str) -> bool:
    """Whether the challenge was made of the verifier; False for a text that is no verifier."""
    return bool(_VERIFIER.fullmatch(verifier)) and hmac.compare_digest(challenge_of(verifier), challenge)


def check_challenge(challenge: str) -> str:
    """A challenge with the method S256.

    Raises:
        Invalid: it is none.
    """
    if not _CHALLENGE.fullmatch(challenge):
        raise Invalid("codeChallenge must be a SHA-256 in base64url, 43 characters.", path=("codeChallenge",))
    return challenge


def check_port(port: int) -> int:
    """The port at which the program listens.

    Raises:
        Invalid: it is none.
    """
    if not 1 <= port <= MAX_PORT:
        raise Invalid(f"port must be 1 to {MAX_PORT:,}.", path=("port",))
    return port


def check_client_name(name: str) -> str:
    """What the program calls itself and its machine, without control characters.

    Raises:
        Invalid: it is empty or too long.
    """
    if not is_storable(name) or not 1 <= len(name.strip()) <= MAX_CLIENT_NAME:
        raise Invalid(f"clientName must have 1 to {MAX_CLIENT_NAME} characters.", path=("clientName",))
    return without_control_characters(name.strip())
