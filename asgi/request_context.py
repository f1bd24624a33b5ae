"""What a transport knows of a request before any resolver runs."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from starlette.types import Receive, Scope

from asgi.client import Client, Disconnected, Identity, Network, client_of
from domain.errors import Unauthenticated

Header = tuple[bytes, bytes]


@dataclass(slots=True)
class RequestContext:
    """Who asks, from where, and through which door; one per operation.

    `auth_error` is set when a token came and was not accepted: public fields still answer, doors raise it.
    `scope` is the HTTP request's, or that of the socket's upgrade; `trusted` are the proxies whose word counts.
    `disconnected` waits until the client has disconnected, where the transport can notice it.
    `response_headers` may be appended to while an operation runs over HTTP; a socket has no use for them. The answer
    is not compressed when `carries_secret` is set.
    """

    identity: Identity | None
    auth_error: Unauthenticated | None
    request_id: str
    door: Literal["http", "ws"]
    scope: Scope
    trusted: Sequence[Network] = ()
    disconnected: Disconnected | None = None
    response_headers: list[Header] = field(default_factory=list)
    carries_secret: bool = False

    @property
    def client(self) -> Client:
        """Who is at the other end of the connection; few operations want to know, so nobody looks before."""
        return replace(client_of(self.scope, self.trusted), disconnected=self.disconnected)

    @property
    def headers(self) -> Sequence[Header]:
        """Those of the request, names in lower case, cookies among them."""
        found: Sequence[Header] = self.scope["headers"]
        return found


def http_disconnect(receive: Receive) -> Disconnected:
    """Waits for the disconnect of an HTTP client whose body has been read."""

    async def disconnected() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    return disconnected
