"""Which pages may call: the browser's `Origin` (RFC 6454), for CORS and for sockets alike."""

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
_OWN_PAGES: Final = frozenset({"same-origin", "none"})
"""`Sec-Fetch-Site` of our own pages, and of what a person does in the browser itself."""

FOREIGN_PAGE: Final = "Pages of this origin may not call; ALLOWED_ORIGINS names those that may."
UNNAMED_PAGE: Final = (
    "A page of another origin may not call without the header Origin; ALLOWED_ORIGINS names the origins that may."
)


class AllowsOrigin(Protocol):
    """Whether a page of *origin* may call; *host* and *secure* say what our own origin is."""

    def __call__(self, origin: str | None, *, host: str | None, secure: bool) -> bool: ...


def may_send(allows: AllowsOrigin, origin: str | None, site: str | None, *, host: str | None, secure: bool) -> bool:
    """Whether a request that changes something may be what a page has its visitor's browser send.

    *origin* and *site* are the headers `Origin` and `Sec-Fetch-Site`. A request without either is no browser's. One
    from another site, or from another origin of this site, must say from which: without its origin it is refused.
    """
    if site in _OWN_PAGES:
        return True
    if origin is None:
        return site is None
    return allows(origin, host=host, secure=secure)


class _Origin(NamedTuple):
    """Two pages are of one origin if all three are equal."""

    scheme: str
    host: str
    port: int | None


class Origins:
    """The own origin, and those of other sites that were listed.

    The own origin is what the request's `Host` says, which only tells whether page and API are the same place, not
    that this place is ours: a page whose name its owner re-points at this server (DNS rebinding) is of the same place.
    It gains nothing but what any anonymous caller has, for its browser holds no cookie and no token for that name.
    A deployment that serves something to anonymous callers on a private network pins its names in the proxy
    (`server_name`) or with Starlette's `TrustedHostMiddleware`.
    """

    def __init__(self, allowed: Sequence[str]) -> None:
        """Take the origins of other sites, `scheme://host` or `scheme://host:port`; `*` stands for any.

        Raises:
            ValueError: one of them is no origin: it has a path, a wildcard in its name, or is `null`, which is what
                pages without a home of their own send, whoever wrote them.
        """
        self._any = _ANY in allowed
        self._listed = frozenset(_listed(text) for text in allowed if text != _ANY)

    def allows(self, origin: str | None, *, host: str | None, secure: bool) -> bool:
        """Whether a request with this `Origin` may pass.

        One without (None) may: it is not a page's. *host* is its `Host` header, and *secure* whether the client speaks
        TLS, be it with a proxy. What is no origin, `null` included, may not, even where any may.
        """
        if origin is None:
            return True
        asking = _parse(origin)
        if asking is None:
            return False
        own = _parse(f"{'https' if secure else 'http'}://{host}") if host else None
        return self._any or asking == own or asking in self._listed


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
