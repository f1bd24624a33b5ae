"""The WebSocket close codes of this server, and which error leads to which code."""

from enum import IntEnum
from typing import Final, NamedTuple

from asgi.errors import ExpiredAccessToken, InvalidToken, RevokedAccessToken
from domain.access_token import MissingScope
from domain.errors import Unauthenticated, Unavailable
from streaming.connections import ConnectionRefused

_MAX_REASON_BYTES: Final = 123


class CloseCode(IntEnum):
    """All codes that this server closes with. Clients reconnect after those marked with a star."""

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
    """A close code with its reason."""

    code: CloseCode
    reason: str


def close_reason(code: CloseCode, text: str) -> CloseReason:
    """*code* with its reason: at most 123 bytes of UTF-8 (RFC 6455, 5.5), cut between characters."""
    return CloseReason(code, text.encode()[:_MAX_REASON_BYTES].decode(errors="ignore"))


def close_reason_for(error: BaseException) -> CloseReason | None:
    """How a socket is closed when *error* prevented a sign-in or ended the user's rights; None for a bug.

    A token that was never valid is final for clients (4401), and so is a personal access token that has ended or lacks
    a scope. After an expired token or a temporary failure they
    reconnect.
    """
    match error:
        case InvalidToken():
            return CloseReason(CloseCode.UNAUTHORIZED, "Unauthorized: this is not an access token of this server")
        case ExpiredAccessToken() | RevokedAccessToken() | MissingScope():
            return close_reason(CloseCode.UNAUTHORIZED, f"Unauthorized: {error.message}")
        case Unauthenticated():
            return CloseReason(CloseCode.FORBIDDEN, f"Forbidden: {error.message}")
        case Unavailable():
            return CloseReason(CloseCode.TRY_LATER, "Try again later")
        case ConnectionRefused():
            return CloseReason(CloseCode(error.code), error.reason)
    return None
