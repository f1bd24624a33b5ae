"""CORS: which pages of other origins may read responses (https://fetch.spec.whatwg.org/#http-cors-protocol)."""

import re
from collections.abc import Sequence
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from asgi.client import Network, is_secure
from asgi.direct_request import DirectApplication, DirectRequest
from asgi.exchange import exchange_of
from asgi.origins import AllowsOrigin
from asgi.request_context import Header

_VARY: Final = (b"vary", b"Origin")
_VARY_LINE: Final = b"vary: Origin\r\n"
_METHODS: Final = (b"access-control-allow-methods", b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
_MAX_AGE: Final = (b"access-control-max-age", b"600")
_DEFAULT_HEADERS: Final = b"authorization, content-type, idempotency-key, if-match, last-event-id, x-request-id"
"""The request headers that the API reads; allowed if a preflight requests none, or none with a valid name."""
_HEADER_NAMES: Final = re.compile(
    rb"[ \t]*[!#$%&'*+.^_`|~0-9A-Za-z-]+[ \t]*(?:,[ \t]*[!#$%&'*+.^_`|~0-9A-Za-z-]+[ \t]*)*"
)
_MAX_HEADER_NAMES: Final = 2_000
"""Bytes of a list of header names."""
_EXPOSED: Final = (
    b"access-control-expose-headers",
    b"Date, ETag, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate, X-Request-ID",
)


class CORS:
    """Wraps all routes: answers preflights, and adds the CORS headers for allowed origins.

    Requests of other origins still run, as without a browser; the browser hides the response from the page.
    """

    def __init__(
        self,
        app: ASGIApp,
        allows: AllowsOrigin,
        *,
        trusted_proxies: Sequence[Network] = (),
        direct: DirectApplication | None = None,
    ) -> None:
        self._app = app
        self._allows = allows
        self._trusted = trusted_proxies
        self._direct = direct
        self.direct_path = direct.direct_path if direct is not None else b""

    def direct_app(self, request: DirectRequest, body: bytes) -> ASGIApp | None:
        """What answers the request without ASGI layers; its response has the same headers as any other."""
        app = self._direct.direct_app(request, body) if self._direct is not None else None
        if app is not None:
            headers = request.headers
            scope: Any = request.scope
            request.extra_headers = self._headers(scope, headers) if b"origin" in headers else [_VARY]
            request.extra_lines = _lines(request.extra_headers)
        return app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection. WebSockets pass unchanged; they check the origin themselves."""
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
            exchange.extra_lines += _lines(added)

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


def _lines(headers: list[Header]) -> bytes:
    return b"".join(b"%b: %b\r\n" % header for header in headers) if len(headers) > 1 else _VARY_LINE


async def _preflight(send: Send, added: list[Header], requested: bytes | None) -> None:
    if len(added) > 1:
        status, more = 204, [_METHODS, (b"access-control-allow-headers", _allowed(requested)), _MAX_AGE]
    else:
        status, more = 403, [(b"content-length", b"0")]
    await send({"type": "http.response.start", "status": status, "headers": [*added, *more]})
    await send({"type": "http.response.body", "body": b""})


def _allowed(requested: bytes | None) -> bytes:
    """The request headers that an allowed page may send: all that it requests.

    Clients add headers of their own, for example for tracing, and none of them affects the security of this API.
    """
    if not requested or len(requested) > _MAX_HEADER_NAMES or _HEADER_NAMES.fullmatch(requested) is None:
        return _DEFAULT_HEADERS
    return b", ".join(name.strip().lower() for name in requested.split(b","))
