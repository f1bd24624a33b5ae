"""What is true of a session: one signed-in device, a family of rotating refresh tokens."""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from typing import Final

IDLE_LIFETIME: Final = timedelta(days=7)
"""A session that is not refreshed for so long ends."""

ABSOLUTE_LIFETIME: Final = timedelta(days=30)
"""However often it is refreshed, a session ends after this."""

REPLAY_GRACE: Final = timedelta(seconds=10)
"""A parent used again within this time gets the same child: two tabs, or an answer that was lost."""

MAX_USER_AGENT: Final = 512
MAX_SESSIONS_LISTED: Final = 100


def new_refresh_token() -> str:
    """The first token of a family: 256 random bits, URL-safe."""
    return secrets.token_urlsafe(32)


def child_token(parent: str, key: bytes) -> str:
    """The one successor of *parent* under *key*: HMAC-SHA-256, URL-safe.

    Being a function of its parent, it can be given again without having been stored.
    """
    return hmac.new(key, b"refresh-child:" + _bytes(parent), hashlib.sha256).hexdigest()


def token_hash(token: str) -> bytes:
    """What is stored of a token: SHA-256, 32 bytes. The token has 256 random bits, so no salt is needed."""
    return hashlib.sha256(_bytes(token)).digest()


def expires_at(now: datetime, created_at: datetime) -> datetime:
    """When a session that is used now ends, unless it is used again."""
    return min(now + IDLE_LIFETIME, created_at + ABSOLUTE_LIFETIME)


def _bytes(token: str) -> bytes:
    # A token comes from outside and may be any text, lone surrogates included: such a one is unknown, not a crash.
    return token.encode(errors="surrogatepass")
