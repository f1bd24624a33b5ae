"""An HTTP response, and how it is sent."""

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from starlette.types import Send

from asgi.compression import GZIP, MIN_BYTES, accepts_gzip, compressed, gzip_etag
from asgi.exchange import ResponseWriter
from asgi.request_context import Header

NO_STORE: Final = b"no-store"
_NO_SNIFF: Final = (b"x-content-type-options", b"nosniff")
_COMMON_LINES: Final = (
    b"content-type: %b\r\ncontent-length: %d\r\nx-request-id: %b\r\ncache-control: %b\r\n"
    b"x-content-type-options: nosniff\r\n"
)
"""The header lines of most responses."""


class _Coding(NamedTuple):
    """The headers for a content coding, as fields and as lines."""

    headers: list[Header]
    lines: bytes


_VARY: Final[Header] = (b"vary", b"accept-encoding")
_UNENCODED: Final = _Coding([], b"")
_UNCOMPRESSED: Final = _Coding([_VARY], b"vary: accept-encoding\r\n")
_COMPRESSED: Final = _Coding(
    [(b"content-encoding", GZIP), _VARY], b"content-encoding: gzip\r\nvary: accept-encoding\r\n"
)


@dataclass(slots=True)
class HTTPResponse:
    """A status, a body of one media type, and further headers; *cache* is its `Cache-Control`.

    A response that is not *compressible* is sent as it is, because it is compressed already or contains a secret. A
    response that sets a cookie is never compressed. docs/decisions/0017 explains why.
    """

    status: int
    body: bytes = b""
    media_type: bytes = b"application/json; charset=utf-8"
    headers: list[Header] = field(default_factory=list)
    cache: bytes = NO_STORE
    compressible: bool = True

    async def send(
        self,
        send: Send,
        *,
        request_id: str,
        with_body: bool = True,
        exchange: ResponseWriter | None = None,
        accept_encoding: bytes = b"",
    ) -> None:
        """Send the response, compressed if it is large and the client accepts that; for HEAD without its body."""
        coding = await self._encode(accept_encoding) if len(self.body) > MIN_BYTES else _UNENCODED
        if exchange is not None and with_body and self._has_common_headers:
            lines = (
                _COMMON_LINES % (self.media_type, len(self.body), request_id.encode("ascii"), self.cache) + coding.lines
            )
            if exchange.respond(self.status, lines, self.body):
                return
        headers = [
            *self._body_headers(),
            (b"x-request-id", request_id.encode("ascii")),
            (b"cache-control", self.cache),
            _NO_SNIFF,
            *self.headers,
            *coding.headers,
        ]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body if with_body else b""})

    async def _encode(self, accept_encoding: bytes) -> _Coding:
        if not self.compressible or any(name == b"set-cookie" for name, _ in self.headers):
            return _UNENCODED
        if not accept_encoding or not accepts_gzip(accept_encoding):
            return _UNCOMPRESSED
        self.body = await compressed(self.body)
        self.headers = [(name, gzip_etag(value) if name == b"etag" else value) for name, value in self.headers]
        return _COMPRESSED

    @property
    def _has_common_headers(self) -> bool:
        return not self.headers and self.status not in (204, 304)

    def _body_headers(self) -> list[Header]:
        # A response that cannot have a body has no Content-Length either (RFC 9110, 8.6).
        if self.status in (204, 304):
            return []
        return [(b"content-type", self.media_type), (b"content-length", b"%d" % len(self.body))]
