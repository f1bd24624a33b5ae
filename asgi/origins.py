"""The origins whose pages may call the API: the browser's `Origin` header (RFC 6454), for CORS and WebSockets."""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

_ORIGIN: Final = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<host>[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?",
    re.IGNORECASE | re.ASCII,
)
_MAX_ORIGIN: Final = 300
"""Characters: a scheme, a name of at most 253, and a port."""
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_ANY: Final = "*"
_SAME_ORIGIN: Final = frozenset({"same-origin", "none"})
"""`Sec-Fetch-Site` for pages of this server, and for navigation that the user started."""

ORIGIN_NOT_ALLOWED: Final = "Pages of this origin may not call the API. ALLOWED_ORIGINS lists the allowed origins."
ORIGIN_MISSING: Final = (
    "A page of another origin must send the header Origin. ALLOWED_ORIGINS lists the allowed origins."
)


class AllowsOrigin(Protocol):
    """Whether a page of *origin* may call; *host* and *secure* give the server's own origin."""

    def __call__(self, origin: str | None, *, host: str | None, secure: bool) -> bool: ...


def may_change(allows: AllowsOrigin, origin: str | None, site: str | None, *, host: str | None, secure: bool) -> bool:
    """Whether a request that changes data may come from where it does, as a protection against cross-site requests.

    *origin* and *site* are the headers `Origin` and `Sec-Fetch-Site`. A request without either does not come from a
    browser. A request from another site or origin must have an `Origin` header; without it, the request is refused.
    """
    if site in _SAME_ORIGIN:
        return True
    if origin is None:
        return site is None
    return allows(origin, host=host, secure=secure)


class _Origin(NamedTuple):
    """Two origins are equal if all three parts are."""

    scheme: str
    host: str
    port: int | None


class Origins:
    """The server's own origin, and the configured origins of other sites.

    The own origin is derived from the request's `Host`. This shows only that page and API have the same origin, not
    that it is ours: with DNS rebinding, a foreign page whose name points at this server has the same origin. It gains
    no more than any anonymous caller, because its browser has no cookie and no token for that name. A deployment that
    serves data to anonymous callers on a private network fixes its names in the proxy (`server_name`) or with
    Starlette's `TrustedHostMiddleware`.
    """

    def __init__(self, allowed: Sequence[str]) -> None:
        """Take the origins of other sites, `scheme://host` or `scheme://host:port`; `*` allows any.

        Raises:
            ValueError: one of them is not an origin: it has a path or a wildcard in its name, or is `null`, which every
                page without an origin of its own sends.
        """
        self._any = _ANY in allowed
        self._listed = frozenset(_listed(text) for text in allowed if text != _ANY)

    def allows(self, origin: str | None, *, host: str | None, secure: bool) -> bool:
        """Whether a request with this `Origin` is allowed.

        A request without one (None) is: it does not come from a page of another origin. *host* is its `Host` header,
        and *secure* whether the client uses TLS, also to a proxy. Invalid origins, `null` included, are refused even
        with `*`.
        """
        if origin is None:
            return True
        requested = _parse(origin)
        if requested is None:
            return False
        own = _parse(f"{'https' if secure else 'http'}://{host}") if host else None
        return self._any or requested == own or requested in self._listed


def _listed(text: str) -> _Origin:
    origin = _parse(text)
    if origin is None:
        raise ValueError(f"{text!r} is not an origin: it must look like https://app.example.org, without a path.")
    return origin


def _parse(text: str) -> _Origin | None:
    match = _ORIGIN.fullmatch(text) if len(text) <= _MAX_ORIGIN else None
    if match is None:
        return None
    scheme, port = match["scheme"].lower(), match["port"]
    return _Origin(scheme, match["host"].lower(), int(port) if port else _DEFAULT_PORTS.get(scheme))
