"""The HTTP request that a socket began as, and who is let in by it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Self

from starlette.types import Scope

from graphql_api.auth.addresses import Network, client_of, is_secure
from graphql_api.auth.facts import Header, RequestFacts
from graphql_api.auth.identity import Client, Disconnected, Identity
from graphql_api.auth.origins import AllowsOrigin
from graphql_api.realtime.connections import Connection
from graphql_api.wire.writer import Abort, Put, abort_of, put_of

Authenticate = Callable[[str | None], Awaitable[Identity | None]]
"""The raw `Authorization` header → who it proves, None for nobody.

Raises `Unauthenticated` for a token that is not accepted and `Unavailable` when nobody can say."""


@dataclass(frozen=True, slots=True)
class Upgrade:
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
    ) -> RequestFacts:
        """What is known of one operation on this socket."""
        return RequestFacts(identity, None, request_id, "ws", self.scope, self.trusted, disconnected)


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
