"""What is known about a request before any resolver runs."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from starlette.types import Receive, Scope

from asgi.client import Client, Disconnected, Identity, Network, client_of
from domain.errors import Unauthenticated

Header = tuple[bytes, bytes]


@dataclass(slots=True)
class RequestContext:
    """The identity, client and transport of a request; one per operation.

    `auth_error` is set if a token was sent and not accepted: public fields still work, permission checks raise it.
    `scope` is that of the HTTP request, or of the WebSocket handshake; `trusted` are the trusted proxies.
    `disconnected` waits until the client has disconnected, where the transport can notice that. `response_headers` may
    be appended to while an operation runs over HTTP; a WebSocket ignores them. The response is not compressed if
    `carries_secret` is set.
    """

    identity: Identity | None
    auth_error: Unauthenticated | None
    request_id: str
    transport: Literal["http", "ws"]
    scope: Scope
    trusted: Sequence[Network] = ()
    disconnected: Disconnected | None = None
    response_headers: list[Header] = field(default_factory=list)
    carries_secret: bool = False

    @property
    def client(self) -> Client:
        """The client of the connection; computed when it is needed, because few operations need it."""
        return replace(client_of(self.scope, self.trusted), disconnected=self.disconnected)

    def client_address(self) -> str:
        """The address of the client."""
        return self.client.address

    @property
    def headers(self) -> Sequence[Header]:
        """The headers of the request, cookies included, with names in lower case."""
        found: Sequence[Header] = self.scope["headers"]
        return found


def http_disconnect(receive: Receive) -> Disconnected:
    """Waits for the disconnect of an HTTP client whose body has been read."""

    async def disconnected() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    return disconnected
