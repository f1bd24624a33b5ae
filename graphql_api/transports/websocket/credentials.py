"""Reads the credentials in `connection_init`, and chooses the close code if they are not valid."""

from collections.abc import Mapping
from typing import Any

from asgi import close_codes
from asgi.close_codes import CloseCode, CloseReason


class BadCredentials(Exception):
    """The payload of `connection_init` contains a token that is not a string."""


def authorization(payload: Mapping[str, Any], header: str | None) -> str | None:
    """The `Authorization` value: `Authorization`, `authorization` or `token` of the payload, or else the HTTP header.

    The payload comes first, because browsers cannot set headers for a WebSocket. Null counts as missing.

    Raises:
        BadCredentials: the value in the payload is not a string.
    """
    for name in ("Authorization", "authorization", "token"):
        value = payload.get(name)
        if value is None:
            continue
        if not isinstance(value, str):
            raise BadCredentials(f"{name} must be a string")
        return f"Bearer {value}" if name == "token" else value
    return header


def close_reason_for(error: Exception) -> CloseReason | None:
    """The close code and reason after a failed authentication; None if the error is a bug."""
    return (
        CloseReason(CloseCode.BAD_MESSAGE, str(error))
        if isinstance(error, BadCredentials)
        else close_codes.close_reason_for(error)
    )
