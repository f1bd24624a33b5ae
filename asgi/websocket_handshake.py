"""The WebSocket handshake: its request, origin check, authentication and rejection."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Self

from starlette.types import Scope, Send

from asgi.client import Client, Disconnected, Identity, Network, client_of, is_secure
from asgi.close_codes import CloseCode
from asgi.origins import AllowsOrigin
from asgi.request_context import Header, RequestContext
from asgi.socket_writer import Abort, Put, abort_of, put_of

STREAM_ORIGIN_NOT_ALLOWED: Final = "Pages of this origin may not subscribe. ALLOWED_ORIGINS lists the allowed origins."

_RESPONSE: Final = "websocket.http.response"

Authenticate = Callable[[str | None], Awaitable[Identity | None]]
"""Maps the raw `Authorization` header to the identity that it proves, or None.

Raises `Unauthenticated` for a token that is not accepted, and `Unavailable` if it cannot be checked.
"""


async def reject_handshake(scope: Scope, send: Send, status: int, text: str) -> None:
    """Answer the handshake with *status* and *text*, or with a bare 403 if the server cannot send a response.

    Browsers show pages neither of the two; command-line clients show both.
    """
    if _RESPONSE not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": CloseCode.FORBIDDEN})
        return
    body = f"{text}\n".encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(body))]
    await send({"type": f"{_RESPONSE}.start", "status": status, "headers": headers})
    await send({"type": f"{_RESPONSE}.body", "body": body})


@dataclass(frozen=True, slots=True)
class HandshakeRequest:
    """The HTTP request of a WebSocket."""

    client: Client
    secure: bool
    scope: Scope
    trusted: Sequence[Network] = ()

    @classmethod
    def of(cls, scope: Scope, trusted: Sequence[Network]) -> Self:
        """The request of an ASGI scope; *trusted* are the trusted proxies."""
        return cls(client_of(scope, trusted), is_secure(scope, trusted), scope, trusted)

    @property
    def headers(self) -> Sequence[Header]:
        """The headers of the request, with names in lower case."""
        found: Sequence[Header] = self.scope["headers"]
        return found

    @property
    def abort(self) -> Abort | None:
        """The function that aborts the connection, if the server has the extension."""
        return abort_of(self.scope)

    @property
    def put(self) -> Put | None:
        """The function that sends a text frame without waiting, if the server has the extension."""
        return put_of(self.scope)

    @property
    def authorization(self) -> str | None:
        """The `Authorization` header, which browsers cannot send."""
        return next((value.decode("latin-1") for name, value in self.headers if name == b"authorization"), None)

    def is_allowed(self, allows_origin: AllowsOrigin) -> bool:
        """Whether the origin of the page that opened the socket is allowed."""
        headers = dict(self.headers)
        origin, host = (headers.get(name) for name in (b"origin", b"host"))
        return allows_origin(
            None if origin is None else origin.decode("latin-1"),
            host=None if host is None else host.decode("latin-1"),
            secure=self.secure,
        )

    def request_context(
        self, identity: Identity | None, request_id: str, disconnected: Disconnected | None = None
    ) -> RequestContext:
        """The context of one operation on this socket."""
        return RequestContext(identity, None, request_id, "ws", self.scope, self.trusted, disconnected)
