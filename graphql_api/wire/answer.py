"""An HTTP answer, and how it is sent."""

from dataclasses import dataclass, field
from typing import Final

from starlette.types import Send

from graphql_api.auth.facts import Header
from graphql_api.wire.exchange import Exchange

NO_STORE: Final = b"no-store"
_NO_SNIFF: Final = (b"x-content-type-options", b"nosniff")
_PLAIN: Final = (
    b"content-type: %b\r\ncontent-length: %d\r\nx-request-id: %b\r\ncache-control: %b\r\n"
    b"x-content-type-options: nosniff\r\n"
)
"""All that most answers say of themselves."""


@dataclass(slots=True)
class Answer:
    """A status, a body of one media type, and further headers; *cache* says who may keep it."""

    status: int
    body: bytes = b""
    media: bytes = b"application/json; charset=utf-8"
    headers: list[Header] = field(default_factory=list)
    cache: bytes = NO_STORE

    async def send(
        self, send: Send, *, request_id: str, with_body: bool = True, exchange: Exchange | None = None
    ) -> None:
        """Send it whole; without its body for HEAD, whose length is told all the same."""
        if exchange is not None and with_body and self._is_plain:
            lines = _PLAIN % (self.media, len(self.body), request_id.encode("ascii"), self.cache)
            if exchange.answer(self.status, lines, self.body):
                return
        headers = [
            *self._about_the_body(),
            (b"x-request-id", request_id.encode("ascii")),
            (b"cache-control", self.cache),
            _NO_SNIFF,
            *self.headers,
        ]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body if with_body else b""})

    @property
    def _is_plain(self) -> bool:
        return not self.headers and self.status not in (204, 304)

    def _about_the_body(self) -> list[Header]:
        # An answer that can have no body may not tell the length of none, either (RFC 9110, 8.6).
        if self.status in (204, 304):
            return []
        return [(b"content-type", self.media), (b"content-length", b"%d" % len(self.body))]
