"""The handshake of a WebSocket: its HTTP request, its origin, its authentication, its rejection."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Self

from starlette.types import Scope, Send

from asgi.client import Client, Disconnected, Identity, Network, client_of, is_secure
from asgi.close_codes import CloseCode
from asgi.origins import AllowsOrigin
from asgi.request_context import Header, RequestContext
from asgi.socket_writer import Abort, Put, abort_of, put_of
from streaming.connections import Connection

FOREIGN: Final = "Pages of this origin may not listen; ALLOWED_ORIGINS names those that may."

_ANSWERS: Final = "websocket.http.response"

Authenticate = Callable[[str | None], Awaitable[Identity | None]]
"""The raw `Authorization` header → who it proves, None for nobody.

Raises `Unauthenticated` for a token that is not accepted and `Unavailable` when nobody can say."""


async def reject_handshake(scope: Scope, send: Send, status: int, text: str) -> None:
    """Answer the handshake with *status* and *text*; with a bare 403 where the server cannot say more.

    Browsers show pages neither of the two, command line clients show both.
    """
    if _ANSWERS not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": CloseCode.FORBIDDEN})
        return
    body = f"{text}\n".encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(body))]
    await send({"type": f"{_ANSWERS}.start", "status": status, "headers": headers})
    await send({"type": f"{_ANSWERS}.body", "body": body})


@dataclass(frozen=True, slots=True)
class HandshakeRequest:
    """What is known of a socket before anything was said on it."""

    client: Client
    secure: bool
    scope: Scope
    trusted: Sequence[Network] = ()

    @classmethod
    def of(cls, scope: Scope, trusted: Sequence[Network]) -> Self:
        """The request behind an ASGI scope; *trusted* are the proxies whose word on the client counts."""
        return cls(client_of(scope, trusted), is_secure(scope, trusted), scope, trusted)

    @property
    def headers(self) -> Sequence[Header]:
        """What came with it, names in lower case."""
        found: Sequence[Header] = self.scope["headers"]
        return found

    @property
    def abort(self) -> Abort | None:
        """How to let go of the socket at once, where the server knows how."""
        return abort_of(self.scope)

    @property
    def put(self) -> Put | None:
        """How to send a text frame without waiting, where the server knows how."""
        return put_of(self.scope)

    @property
    def authorization(self) -> str | None:
        """The `Authorization` header, which no browser can send."""
        return next((value.decode("latin-1") for name, value in self.headers if name == b"authorization"), None)

    def is_allowed(self, allows_origin: AllowsOrigin) -> bool:
        """Whether the page that opened it, if it was one, may."""
        headers = dict(self.headers)
        origin, host = (headers.get(name) for name in (b"origin", b"host"))
        return allows_origin(
            None if origin is None else origin.decode("latin-1"),
            host=None if host is None else host.decode("latin-1"),
            secure=self.secure,
        )

    def facts(
        self, identity: Identity | None, request_id: str, disconnected: Disconnected | None = None
    ) -> RequestContext:
        """What is known of one operation on this socket."""
        return RequestContext(identity, None, request_id, "ws", self.scope, self.trusted, disconnected)


async def sign_in(connection: Connection, authenticate: Authenticate, authorization: str | None) -> Identity | None:
    """Who *authorization* proves, with the socket registered as theirs.

    Raises:
        Unauthenticated, Unavailable: as *authenticate* does.
        ConnectionRefused: the user has too many sockets.
    """
    identity = await authenticate(authorization)
    if identity is None:
        return None
    connection.sign_in(identity.actor)
    # Again, now that a revocation would find this socket: one that came in between is seen here.
    return await authenticate(authorization)
