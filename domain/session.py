"""The rules for sessions: a session is one signed-in device with rotating refresh tokens."""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from typing import Final

IDLE_LIFETIME: Final = timedelta(days=7)
"""A session ends if it is not refreshed for this time."""

ABSOLUTE_LIFETIME: Final = timedelta(days=30)
"""A session ends after this time, even if it is refreshed."""

REPLAY_GRACE: Final = timedelta(seconds=30)
"""A parent that is used again within this time gets the same child: two browser tabs, or a lost response. It is longer
than clients wait for a response before they try again."""

MAX_USER_AGENT: Final = 512
MAX_SESSIONS_LISTED: Final = 100


def new_refresh_token() -> str:
    """The first token of a session: 256 random bits, URL-safe."""
    return secrets.token_urlsafe(32)


def child_token(parent: str, key: bytes) -> str:
    """The successor of *parent* with *key*: HMAC-SHA-256, URL-safe.

    It is derived from its parent, so it can be returned again without being stored.
    """
    return hmac.new(key, b"refresh-child:" + _bytes(parent), hashlib.sha256).hexdigest()


def token_hash(token: str) -> bytes:
    """The stored hash of a token: SHA-256, 32 bytes. The token has 256 random bits, so it needs no salt."""
    return hashlib.sha256(_bytes(token)).digest()


def expires_at(now: datetime, created_at: datetime) -> datetime:
    """When a session that is used now expires, unless it is used again."""
    return min(now + IDLE_LIFETIME, created_at + ABSOLUTE_LIFETIME)


def _bytes(token: str) -> bytes:
    # A client may send any text as a token, including lone surrogates. Such a token is unknown, and no error is raised.
    return token.encode(errors="surrogatepass")
