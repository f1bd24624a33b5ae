"""Which pages of other sites may read our answers (https://fetch.spec.whatwg.org/#http-cors-protocol)."""

from collections.abc import Sequence
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from graphql_api.auth.addresses import Network, is_secure
from graphql_api.auth.facts import Header
from graphql_api.auth.origins import AllowsOrigin
from graphql_api.wire.exchange import exchange_of

_VARY: Final = (b"vary", b"Origin")
_VARY_LINE: Final = b"vary: Origin\r\n"
_PREFLIGHT: Final[list[Header]] = [
    (b"access-control-allow-methods", b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),
    (
        b"access-control-allow-headers",
        b"authorization, content-type, idempotency-key, if-match, last-event-id, x-request-id",
    ),
    (b"access-control-max-age", b"600"),
]
_EXPOSED: Final = (b"access-control-expose-headers", b"X-Request-ID, ETag, Retry-After")


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
            await _preflight(send, added)
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


async def _preflight(send: Send, added: list[Header]) -> None:
    allowed = len(added) > 1
    headers = [*added, *(_PREFLIGHT if allowed else [(b"content-length", b"0")])]
    await send({"type": "http.response.start", "status": 204 if allowed else 403, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
