"""The id of a request, used in its response and in the log."""

import os
import re
from collections.abc import Mapping
from typing import Final

_MAX_ID: Final = 64
_ALLOWED: Final = re.compile(rb"[A-Za-z0-9._-]+")


def request_id_of(headers: Mapping[bytes, bytes]) -> str:
    """The client's `X-Request-ID` if it has 1 to 64 characters of `A-Za-z0-9._-`; otherwise a new id."""
    given = headers.get(b"x-request-id")
    is_valid = given is not None and len(given) <= _MAX_ID and _ALLOWED.fullmatch(given)
    return given.decode("ascii") if given is not None and is_valid else new_request_id()


def new_request_id() -> str:
    """A new id: 64 random bits in hexadecimal."""
    return os.urandom(8).hex()
