"""An HTTP answer, and how it is sent."""

from dataclasses import dataclass, field
from typing import Final

from starlette.types import Send

from graphql_api.auth.facts import Header

NO_STORE: Final = b"no-store"
_NO_SNIFF: Final = (b"x-content-type-options", b"nosniff")


@dataclass(slots=True)
class Answer:
    """A status, a body of one media type, and further headers; *cache* says who may keep it."""

    status: int
    body: bytes = b""
    media: bytes = b"application/json; charset=utf-8"
    headers: list[Header] = field(default_factory=list)
    cache: bytes = NO_STORE

    async def send(self, send: Send, *, request_id: str, with_body: bool = True) -> None:
        """Send it whole; without its body for HEAD, whose length is told all the same."""
        headers = [
            *self._about_the_body(),
            (b"x-request-id", request_id.encode("ascii")),
            (b"cache-control", self.cache),
            _NO_SNIFF,
            *self.headers,
        ]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body if with_body else b""})

    def _about_the_body(self) -> list[Header]:
        # An answer that can have no body may not tell the length of none, either (RFC 9110, 8.6).
        if self.status in (204, 304):
            return []
        return [(b"content-type", self.media), (b"content-length", b"%d" % len(self.body))]
