"""Reads the credentials in `connection_init`."""

from collections.abc import Mapping
from typing import Any


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
