"""The cookie that carries the refresh token (RFC 6265)."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from domain.session import IDLE_LIFETIME

REFRESH_COOKIE: Final = "refresh_token"
MAX_COOKIE: Final = 4_096
"""Bytes of a value; browsers keep no longer cookie."""

_MAX_AGE: Final = int(IDLE_LIFETIME.total_seconds())
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~-]+")


def set_refresh_cookie(token: str, *, secure: bool, max_age: int = _MAX_AGE) -> str:
    """The value of a `Set-Cookie` header that has the browser keep *token* for *max_age* seconds.

    Scripts cannot read it and other sites' pages cannot have it sent. *secure* may be False only for plain HTTP on
    localhost.

    Raises:
        ValueError: the token holds a character that would not come back as it went.
    """
    if not _TOKEN.fullmatch(token):
        raise ValueError("A refresh token may hold only letters, digits, '.', '_', '~' and '-'.")
    return _cookie(token, secure=secure, max_age=max_age)


def clear_refresh_cookie(*, secure: bool) -> str:
    """The value of a `Set-Cookie` header that has the browser forget the token."""
    return _cookie("", secure=secure, max_age=0)


def refresh_cookie(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """The refresh token among the raw headers of an ASGI request, or None; whether it is a good one is not asked.

    The first one counts, as browsers send the cookie with the longest path first. Empty and over-long ones are
    passed over, and so is whatever is no cookie.
    """
    found = (value for name, value in _pairs(headers) if name == REFRESH_COOKIE.encode())
    return next((value.decode("latin-1") for value in found if 0 < len(value) <= MAX_COOKIE), None)


def _cookie(value: str, *, secure: bool, max_age: int) -> str:
    attributes = [f"{REFRESH_COOKIE}={value}", f"Max-Age={max_age}", "Path=/", "HttpOnly", "SameSite=Strict"]
    return "; ".join([*attributes, "Secure"] if secure else attributes)


def _pairs(headers: Iterable[tuple[bytes, bytes]]) -> Iterator[tuple[bytes, bytes]]:
    # HTTP/2 lets a client send its cookies in several headers (RFC 9113, 8.2.3).
    for header, cookies in headers:
        if header.lower() == b"cookie":
            for cookie in cookies.split(b";"):
                name, _, value = cookie.partition(b"=")
                yield name.strip(), _unquoted(value.strip())


def _unquoted(value: bytes) -> bytes:
    return value[1:-1] if len(value) >= 2 and value[:1] == value[-1:] == b'"' else value
