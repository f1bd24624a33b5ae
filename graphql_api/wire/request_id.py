"""The name of a request, in its answer and in the log."""

import re
import secrets
from collections.abc import Iterable
from typing import Final

_SANE: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}")


def request_id_of(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The `X-Request-ID` that came, if it is 1 to 64 of `A-Za-z0-9._-`; a new one otherwise."""
    for name, value in headers:
        if name == b"x-request-id" and _SANE.fullmatch(value):
            return value.decode("ascii")
    return new_request_id()


def new_request_id() -> str:
    """A fresh name: 64 random bits in hexadecimal."""
    return secrets.token_hex(8)
