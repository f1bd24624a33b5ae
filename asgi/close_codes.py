"""How our side ends a socket: every code, and what leads to which."""

from enum import IntEnum
from typing import Final, NamedTuple

from asgi.errors import InvalidToken
from domain.errors import Unauthenticated, Unavailable
from streaming.connections import ConnectionRefused

_MAX_REASON_BYTES: Final = 123


class CloseCode(IntEnum):
    """Every code that our side closes with; clients come back after those marked with a star."""

    UNSUPPORTED_DATA = 1003
    RESTARTING = 1012  # *
    TRY_LATER = 1013  # *
    BAD_MESSAGE = 4400
    UNAUTHORIZED = 4401
    FORBIDDEN = 4403  # *
    BAD_SUBPROTOCOL = 4406
    TIMED_OUT = 4408  # *
    DUPLICATE = 4409
    TOO_MANY_INITS = 4429


class CloseReason(NamedTuple):
    """Close the socket so."""

    code: CloseCode
    reason: str


def close_reason_for(error: Exception) -> CloseReason | None:
    """How the socket ends when *error* kept somebody from signing in, or ended their rights; None for a bug.

    Garbage is fatal to clients (4401); what merely grew old, or cannot be settled now, lets them come back.
    """
    match error:
        case InvalidToken():
            return CloseReason(CloseCode.UNAUTHORIZED, "Unauthorized: this is no access token of this server")
        case Unauthenticated():
            return CloseReason(CloseCode.FORBIDDEN, f"Forbidden: {error.message}")
        case Unavailable():
            return CloseReason(CloseCode.TRY_LATER, "Try again later")
        case ConnectionRefused():
            return CloseReason(CloseCode(error.code), error.reason)
    return None


def reason(text: str) -> str:
    """A close reason: at most 123 bytes of UTF-8 (RFC 6455, 5.5), cut between characters."""
    return text.encode()[:_MAX_REASON_BYTES].decode(errors="ignore")
