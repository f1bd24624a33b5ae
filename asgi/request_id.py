"""The name of a request, in its answer and in the log."""

import os
import re
from collections.abc import Mapping
from typing import Final

_MAX_ID: Final = 64
_SANE: Final = re.compile(rb"[A-Za-z0-9._-]+")


def request_id_of(headers: Mapping[bytes, bytes]) -> str:
    """The `X-Request-ID` that came, if it is 1 to 64 of `A-Za-z0-9._-`; a new one otherwise."""
    given = headers.get(b"x-request-id")
    is_sane = given is not None and len(given) <= _MAX_ID and _SANE.fullmatch(given)
    return given.decode("ascii") if given is not None and is_sane else new_request_id()


def new_request_id() -> str:
    """A fresh name: 64 random bits in hexadecimal."""
    return os.urandom(8).hex()
