"""What a client proves itself with on a socket, and what refusing it does to the socket."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from domain.errors import Unauthenticated, Unavailable
from graphql_api.auth.tokens import InvalidToken
from graphql_api.realtime.connections import ConnectionRefused
from graphql_api.transports.transport_ws.protocol import Code


class Verdict(NamedTuple):
    """Close the socket so."""

    code: Code
    reason: str


class BadCredentials(Exception):
    """The payload of `connection_init` names a token that is no string."""


def authorization(payload: Mapping[str, Any], header: str | None) -> str | None:
    """The `Authorization` value: `Authorization`, `authorization` or `token` of the payload, else the upgrade's header.

    Browsers cannot set headers on a socket, so the payload goes first; null counts as absent.

    Raises:
        BadCredentials: it is there and no string.
    """
    for name in ("Authorization", "authorization", "token"):
        value = payload.get(name)
        if value is None:
            continue
        if not isinstance(value, str):
            raise BadCredentials(f"{name} must be a string")
        return f"Bearer {value}" if name == "token" else value
    return header


def verdict_on(error: Exception) -> Verdict | None:
    """How the socket ends when *error* kept somebody from signing in; None for a bug.

    Garbage is fatal to clients (4401); what merely grew old, or cannot be settled now, lets them come back.
    """
    match error:
        case BadCredentials():
            return Verdict(Code.BAD_MESSAGE, str(error))
        case InvalidToken():
            return Verdict(Code.UNAUTHORIZED, "Unauthorized")
        case Unauthenticated():
            return Verdict(Code.FORBIDDEN, "Forbidden")
        case Unavailable():
            return Verdict(Code.TRY_LATER, "Try again later")
        case ConnectionRefused():
            return Verdict(Code(error.code), error.reason)
    return None
