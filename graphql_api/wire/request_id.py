"""The name of a request, in its answer and in the log."""

import os
import re
from collections.abc import Mapping
from typing import Final

_SANE: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}")


def request_id_of(headers: Mapping[bytes, bytes]) -> str:
    """The `X-Request-ID` that came, if it is 1 to 64 of `A-Za-z0-9._-`; a new one otherwise."""
    given = headers.get(b"x-request-id")
    return given.decode("ascii") if given is not None and _SANE.fullmatch(given) else new_request_id()


def new_request_id() -> str:
    """A fresh name: 64 random bits in hexadecimal."""
    return os.urandom(8).hex()
