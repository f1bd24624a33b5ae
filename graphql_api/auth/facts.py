"""What a transport knows of a request before any resolver runs."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from starlette.types import Receive, Scope

from domain.errors import Unauthenticated
from graphql_api.auth.addresses import Network, client_of
from graphql_api.auth.cookies import clear_every_refresh_cookie
from graphql_api.auth.identity import Client, Disconnected, Identity

Header = tuple[bytes, bytes]


@dataclass(slots=True)
class RequestFacts:
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

    def drop_refresh_cookies(self, *, secure: bool) -> None:
        """Have the browser forget every refresh cookie that it can have sent, also those that other sites have set."""
        host = next((value for name, value in self.headers if name == b"host"), b"").decode("latin-1")
        for cookie in clear_every_refresh_cookie(host, self.scope.get("path", "/"), secure=secure):
            self.response_headers.append((b"set-cookie", cookie.encode("latin-1")))


def http_disconnect(receive: Receive) -> Disconnected:
    """Waits for the disconnect of an HTTP client whose body has been read."""

    async def disconnected() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    return disconnected
