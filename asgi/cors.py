"""Which pages of other sites may read our answers (https://fetch.spec.whatwg.org/#http-cors-protocol)."""

import re
from collections.abc import Sequence
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from asgi.client import Network, is_secure
from asgi.exchange import exchange_of
from asgi.origins import AllowsOrigin
from asgi.request_context import Header

_VARY: Final = (b"vary", b"Origin")
_VARY_LINE: Final = b"vary: Origin\r\n"
_METHODS: Final = (b"access-control-allow-methods", b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
_MAX_AGE: Final = (b"access-control-max-age", b"600")
_KNOWN: Final = b"authorization, content-type, idempotency-key, if-match, last-event-id, x-request-id"
"""The header fields that the API reads: allowed when a preflight asks for none, or for none that can be named."""
_NAMES: Final = re.compile(rb"[ \t]*[!#$%&'*+.^_`|~0-9A-Za-z-]+[ \t]*(?:,[ \t]*[!#$%&'*+.^_`|~0-9A-Za-z-]+[ \t]*)*")
_MAX_NAMES: Final = 2_000
"""Bytes of a list of names."""
_EXPOSED: Final = (b"access-control-expose-headers", b"Date, ETag, Retry-After, WWW-Authenticate, X-Request-ID")


class CORS:
    """Wraps every route: answers preflights, and marks what an allowed page may read.

    What is not allowed still runs, as it would without a browser; the browser keeps the answer from the page.
    """

    def __init__(self, app: ASGIApp, allows: AllowsOrigin, *, trusted_proxies: Sequence[Network] = ()) -> None:
        self._app = app
        self._allows = allows
        self._trusted = trusted_proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection; sockets pass untouched, they check their origin themselves."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        added = self._headers(scope, headers) if b"origin" in headers else [_VARY]
        if scope["method"] == "OPTIONS" and b"access-control-request-method" in headers:
            await _preflight(send, added, headers.get(b"access-control-request-headers"))
            return
        exchange = exchange_of(scope)
        if exchange is not None:
            exchange.more += b"".join(b"%b: %b\r\n" % header for header in added) if len(added) > 1 else _VARY_LINE

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *added]
            await send(message)

        await self._app(scope, receive, send_with_headers)

    def _headers(self, scope: Scope, headers: dict[bytes, bytes]) -> list[Header]:
        origin = headers[b"origin"]
        host = headers.get(b"host", b"").decode("latin-1")
        secure = is_secure(scope, self._trusted)
        if not self._allows(origin.decode("latin-1"), host=host, secure=secure):
            return [_VARY]
        allowed = [(b"access-control-allow-origin", origin), (b"access-control-allow-credentials", b"true")]
        return [_VARY, *allowed, _EXPOSED]


async def _preflight(send: Send, added: list[Header], wanted: bytes | None) -> None:
    if len(added) > 1:
        status, more = 204, [_METHODS, (b"access-control-allow-headers", _allowed(wanted)), _MAX_AGE]
    else:
        status, more = 403, [(b"content-length", b"0")]
    await send({"type": "http.response.start", "status": status, "headers": [*added, *more]})
    await send({"type": "http.response.body", "body": b""})


def _allowed(wanted: bytes | None) -> bytes:
    """The names of header fields that an allowed page may send: those that it asks for, whichever they are.

    Clients add fields of their own, for tracing for example, and none of them has a meaning that this API relies on.
    """
    if not wanted or len(wanted) > _MAX_NAMES or _NAMES.fullmatch(wanted) is None:
        return _KNOWN
    return b", ".join(name.strip().lower() for name in wanted.split(b","))
