"""Every route of this door."""

from collections.abc import Sequence

from starlette.routing import BaseRoute, Route, WebSocketRoute

from graphql_api.auth.addresses import Network
from graphql_api.auth.origins import AllowsOrigin
from graphql_api.context import Backend
from graphql_api.observability.requests import Requests
from graphql_api.realtime.connections import Connections
from graphql_api.rest.api import RestAPI
from graphql_api.rest.docs import Docs
from graphql_api.rest.routes import PREFIX
from graphql_api.rest.socket import TaskSocket, Timing
from graphql_api.wire.upgrade import Authenticate

DOCS = "/docs"
SOCKET = "/ws/tasks/{client_id}"


def routes(
    backend: Backend,
    authenticate: Authenticate,
    connections: Connections,
    allows_origin: AllowsOrigin,
    *,
    docs: bool,
    trusted_proxies: Sequence[Network] = (),
    timing: Timing | None = None,
    requests: Requests | None = None,
) -> list[BaseRoute]:
    """The endpoints, the socket and, with *docs*, their description; *timing* is the socket's."""
    requests = requests or Requests()
    api = RestAPI(backend, authenticate, allows_origin, trusted_proxies=trusted_proxies, requests=requests)
    socket = TaskSocket(
        backend,
        authenticate,
        connections,
        allows_origin,
        trusted_proxies=trusted_proxies,
        timing=timing,
        requests=requests,
    )
    found: list[BaseRoute] = [
        Route(PREFIX, api),
        Route(PREFIX + "/{path:path}", api),
        WebSocketRoute(SOCKET, socket),
        WebSocketRoute(SOCKET + "/", socket),
    ]
    if docs:
        page = Docs()
        found += [Route("/openapi.json", page), Route(DOCS, page), Route(DOCS + "/{name}", page)]
    return found
