"""What a client proves itself with on a socket, and what refusing it does to the socket."""

from collections.abc import Mapping
from typing import Any

from asgi import close_codes
from asgi.close_codes import CloseCode, CloseReason


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


def verdict_on(error: Exception) -> CloseReason | None:
    """How the socket ends when *error* kept somebody from signing in; None for a bug."""
    return (
        CloseReason(CloseCode.BAD_MESSAGE, str(error))
        if isinstance(error, BadCredentials)
        else close_codes.close_reason_for(error)
    )
