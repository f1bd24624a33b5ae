"""How our side ends a socket: every code, and what leads to which."""

from enum import IntEnum
from typing import Final, NamedTuple

from domain.errors import Unauthenticated, Unavailable
from graphql_api.auth.tokens import InvalidToken
from graphql_api.realtime.connections import ConnectionRefused

_MAX_REASON_BYTES: Final = 123


class Code(IntEnum):
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


class Verdict(NamedTuple):
    """Close the socket so."""

    code: Code
    reason: str


def verdict_on(error: Exception) -> Verdict | None:
    """How the socket ends when *error* kept somebody from signing in, or ended their rights; None for a bug.

    Garbage is fatal to clients (4401); what merely grew old, or cannot be settled now, lets them come back.
    """
    match error:
        case InvalidToken():
            return Verdict(Code.UNAUTHORIZED, "Unauthorized: this is no access token of this server")
        case Unauthenticated():
            return Verdict(Code.FORBIDDEN, f"Forbidden: {error.message}")
        case Unavailable():
            return Verdict(Code.TRY_LATER, "Try again later")
        case ConnectionRefused():
            return Verdict(Code(error.code), error.reason)
    return None


def reason(text: str) -> str:
    """A close reason: at most 123 bytes of UTF-8 (RFC 6455, 5.5), cut between characters."""
    return text.encode()[:_MAX_REASON_BYTES].decode(errors="ignore")
