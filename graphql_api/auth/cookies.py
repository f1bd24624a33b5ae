"""The cookies that carry the refresh token, and a sign-in through a provider that was started (RFC 6265)."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from asgi.request_context import RequestContext
from domain.errors import BadRequest
from domain.session import IDLE_LIFETIME
from openid.flow import LIFETIME_SECONDS as FLOW_SECONDS

REFRESH_COOKIE: Final = "refresh_token"
FLOW_COOKIE: Final = "sign_in"
MAX_COOKIE: Final = 4_096
"""The maximum length of a value in bytes. Browsers do not store longer cookies."""

_NAME: Final = REFRESH_COOKIE.encode()
_HOST_NAME: Final = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_PATH_PART: Final = re.compile(r"[A-Za-z0-9_.~-]+")
_MAX_PARTS: Final = 8
"""The maximum number of parts of a host name or path: each part adds `Set-Cookie` headers to the response."""

_MAX_BYTES: Final = 8_192
"""The maximum length of all cookies in bytes. If they are longer, all are ignored: a part of them could hide a second
refresh cookie."""
_MAX_AGE: Final = int(IDLE_LIFETIME.total_seconds())
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~-]+")


def set_refresh_cookie(token: str, *, secure: bool, max_age: int = _MAX_AGE) -> str:
    """The value of a `Set-Cookie` header with which the browser stores *token* for *max_age* seconds.

    Scripts cannot read the cookie, and requests from other sites do not contain it. *secure* may be False only for
    plain HTTP on localhost.

    Raises:
        ValueError: the token contains a character that a cookie cannot carry unchanged.
    """
    if not _TOKEN.fullmatch(token):
        raise ValueError("A refresh token may contain only letters, digits, '.', '_', '~' and '-'.")
    return _cookie(token, secure=secure, max_age=max_age)


def clear_refresh_cookie(*, secure: bool) -> str:
    """The value of a `Set-Cookie` header with which the browser deletes the refresh cookie."""
    return _cookie("", secure=secure, max_age=0)


class AmbiguousCookie(BadRequest):
    """The request has several refresh cookies. Another site of the same domain may have set one of them."""

    def __init__(self) -> None:
        super().__init__(
            f"The request has several {REFRESH_COOKIE} cookies with different values. Another site of this domain may "
            "have set one of them. Delete them, then sign in again."
        )


def refresh_cookie(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """The refresh token in the raw headers of an ASGI request, or None. The token is not verified.

    Cookies that are empty, too long or malformed are ignored.

    Raises:
        AmbiguousCookie: there are several refresh cookies with different values. A browser does not say which site set
            which cookie.
    """
    found = {value for name, value in _pairs(headers) if name == _NAME and 0 < len(value) <= MAX_COOKIE}
    if len(found) > 1:
        raise AmbiguousCookie
    return found.pop().decode("latin-1") if found else None


def clear_every_refresh_cookie(host: str, path: str, *, secure: bool) -> list[str]:
    """The values of `Set-Cookie` headers that delete every refresh cookie that a browser may send to *path*.

    A browser sends the cookies of a host and of its parent domains, for a path and for its parent paths.
    """
    return [
        _cookie("", secure=secure, max_age=0, path=each, domain=domain)
        for domain in (None, *_domains(host))
        for each in _paths(path)
    ]


def drop_refresh_cookies(request: RequestContext, *, secure: bool) -> None:
    """Add response headers with which the browser deletes every refresh cookie that it may have sent."""
    host = next((value for name, value in request.headers if name == b"host"), b"").decode("latin-1")
    for cookie in clear_every_refresh_cookie(host, request.scope.get("path", "/"), secure=secure):
        request.response_headers.append((b"set-cookie", cookie.encode("latin-1")))


def set_flow_cookie(value: str, *, secure: bool) -> str:
    """The value of a `Set-Cookie` header with which the browser keeps a sign-in through a provider that was started.

    It is `SameSite=Lax`: the provider is another site, and sends the browser back with a top-level GET. The prefix
    `__Host-` keeps other hosts of the domain from setting it (RFC 6265bis, 4.1.3).
    """
    if not _TOKEN.fullmatch(value):
        raise ValueError("The text of a sign-in may contain only letters, digits, '.', '_', '~' and '-'.")
    return _flow_cookie(value, secure=secure, max_age=FLOW_SECONDS)


def clear_flow_cookie(*, secure: bool) -> str:
    """The value of a `Set-Cookie` header with which the browser deletes the started sign-in."""
    return _flow_cookie("", secure=secure, max_age=0)


def flow_cookie(headers: Iterable[tuple[bytes, bytes]], *, secure: bool) -> str | None:
    """The text of the started sign-in in the raw headers of an ASGI request; None if there is not exactly one."""
    name = _flow_name(secure).encode()
    found = {value for each, value in _pairs(headers) if each == name and 0 < len(value) <= MAX_COOKIE}
    return found.pop().decode("latin-1") if len(found) == 1 else None


def _flow_name(secure: bool) -> str:
    return f"__Host-{FLOW_COOKIE}" if secure else FLOW_COOKIE


def _flow_cookie(value: str, *, secure: bool, max_age: int) -> str:
    attributes = [f"{_flow_name(secure)}={value}", f"Max-Age={max_age}", "Path=/", "HttpOnly", "SameSite=Lax"]
    return "; ".join([*attributes, "Secure"] if secure else attributes)


def _cookie(value: str, *, secure: bool, max_age: int, path: str = "/", domain: str | None = None) -> str:
    attributes = [f"{REFRESH_COOKIE}={value}", f"Max-Age={max_age}", f"Path={path}", "HttpOnly", "SameSite=Strict"]
    attributes += [f"Domain={domain}"] if domain else []
    return "; ".join([*attributes, "Secure"] if secure else attributes)


def _domains(host: str) -> list[str]:
    """The host name and its parent domains for which a cookie may be set; empty for an IP address."""
    name = host.rpartition(":")[0] or host if not host.endswith("]") else ""
    labels = name.lower().split(".")
    if not _HOST_NAME.fullmatch(name) or labels[-1].isdigit() or len(labels) > _MAX_PARTS:
        return []
    return [".".join(labels[start:]) for start in range(len(labels) - 1)]


def _paths(path: str) -> list[str]:
    parts = [part for part in path.split("/") if part][:_MAX_PARTS]
    if not all(_PATH_PART.fullmatch(part) for part in parts):
        return ["/"]
    prefixes = ["/" + "/".join(parts[:count]) for count in range(1, len(parts) + 1)]
    return ["/", *(each + end for each in prefixes for end in ("", "/"))]


def _pairs(headers: Iterable[tuple[bytes, bytes]]) -> Iterator[tuple[bytes, bytes]]:
    # With HTTP/2, a client may send its cookies in several headers (RFC 9113, 8.2.3).
    fields = [value for header, value in headers if header.lower() == b"cookie"]
    if sum(map(len, fields)) > _MAX_BYTES:
        return
    for cookie in b";".join(fields).split(b";"):
        name, _, value = cookie.partition(b"=")
        yield name.strip(), _unquoted(value.strip())


def _unquoted(value: bytes) -> bytes:
    return value[1:-1] if len(value) >= 2 and value[:1] == value[-1:] == b'"' else value
