"""The cookie that carries the refresh token (RFC 6265)."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from asgi.request_context import RequestContext
from domain.errors import BadRequest
from domain.session import IDLE_LIFETIME

REFRESH_COOKIE: Final = "refresh_token"
MAX_COOKIE: Final = 4_096
"""Bytes of a value; browsers keep no longer cookie."""

_NAME: Final = REFRESH_COOKIE.encode()
_HOST_NAME: Final = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_PATH_PART: Final = re.compile(r"[A-Za-z0-9_.~-]+")
_MAX_PARTS: Final = 8
"""Of a name or path: longer ones are no API's, and each part is another header."""

_MAX_BYTES: Final = 8_192
"""Of all cookies; of more than that none is taken, since a second one of the name might be among those left out."""
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


class AmbiguousCookie(BadRequest):
    """The request has several refresh cookies: another site below the same domain may have set one of them."""

    def __init__(self) -> None:
        super().__init__(
            f"There are several cookies {REFRESH_COOKIE} with different values, one of which may be set by another "
            "site of this domain. Delete them, then sign in again."
        )


def refresh_cookie(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """The refresh token among the raw headers of an ASGI request, or None; whether it is a good one is not asked.

    Empty and over-long ones are passed over, and so is whatever is no cookie.

    Raises:
        AmbiguousCookie: there are several with different values. Browsers do not say which site has set which.
    """
    found = {value for name, value in _pairs(headers) if name == _NAME and 0 < len(value) <= MAX_COOKIE}
    if len(found) > 1:
        raise AmbiguousCookie
    return found.pop().decode("latin-1") if found else None


def clear_every_refresh_cookie(host: str, path: str, *, secure: bool) -> list[str]:
    """The values of `Set-Cookie` headers that have the browser forget each refresh cookie it can have sent to *path*.

    A browser sends the cookies of a host and of the domains above it, for a path and for the paths above it.
    """
    return [
        _cookie("", secure=secure, max_age=0, path=each, domain=domain)
        for domain in (None, *_domains(host))
        for each in _paths(path)
    ]


def drop_refresh_cookies(request: RequestContext, *, secure: bool) -> None:
    """Make the browser delete every refresh cookie that it can have sent."""
    host = next((value for name, value in request.headers if name == b"host"), b"").decode("latin-1")
    for cookie in clear_every_refresh_cookie(host, request.scope.get("path", "/"), secure=secure):
        request.response_headers.append((b"set-cookie", cookie.encode("latin-1")))


def _cookie(value: str, *, secure: bool, max_age: int, path: str = "/", domain: str | None = None) -> str:
    attributes = [f"{REFRESH_COOKIE}={value}", f"Max-Age={max_age}", f"Path={path}", "HttpOnly", "SameSite=Strict"]
    attributes += [f"Domain={domain}"] if domain else []
    return "; ".join([*attributes, "Secure"] if secure else attributes)


def _domains(host: str) -> list[str]:
    """The host's name and the domains above it that a cookie may be set for; none for an address."""
    name = host.rpartition(":")[0] or host if not host.endswith("]") else ""
    labels = name.lower().split(".")
    if not _HOST_NAME.fullmatch(name) or labels[-1].isdigit() or len(labels) > _MAX_PARTS:
        return []
    return [".".join(labels[start:]) for start in range(len(labels) - 1)]


def _paths(path: str) -> list[str]:
    parts = [part for part in path.split("/") if part][:_MAX_PARTS]
    if not all(_PATH_PART.fullmatch(part) for part in parts):
        return ["/"]
    above = ["/" + "/".join(parts[:count]) for count in range(1, len(parts) + 1)]
    return ["/", *(each + end for each in above for end in ("", "/"))]


def _pairs(headers: Iterable[tuple[bytes, bytes]]) -> Iterator[tuple[bytes, bytes]]:
    # HTTP/2 lets a client send its cookies in several headers (RFC 9113, 8.2.3).
    fields = [value for header, value in headers if header.lower() == b"cookie"]
    if sum(map(len, fields)) > _MAX_BYTES:
        return
    for cookie in b";".join(fields).split(b";"):
        name, _, value = cookie.partition(b"=")
        yield name.strip(), _unquoted(value.strip())


def _unquoted(value: bytes) -> bytes:
    return value[1:-1] if len(value) >= 2 and value[:1] == value[-1:] == b'"' else value
