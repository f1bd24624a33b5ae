"""The routes of the REST API."""

from collections.abc import Sequence

from starlette.routing import BaseRoute, Route, WebSocketRoute

from asgi.client import Network
from asgi.origins import AllowsOrigin
from asgi.streaming_session import SessionConfig, StreamTiming
from asgi.websocket_handshake import Authenticate
from observability.request_records import RequestRecords
from rest_api.api import RestAPI
from rest_api.backend import RestBackend
from rest_api.docs import Docs
from rest_api.endpoints import PREFIX
from rest_api.websocket import TASK_TIMING, TaskSocket
from streaming.connections import Connections

DOCS = "/docs"
SOCKET = "/ws/tasks/{client_id}"


def routes(
    backend: RestBackend,
    authenticate: Authenticate,
    connections: Connections,
    allows_origin: AllowsOrigin,
    *,
    docs: bool,
    trusted_proxies: Sequence[Network] = (),
    timing: StreamTiming = TASK_TIMING,
    requests: RequestRecords | None = None,
) -> list[BaseRoute]:
    """The endpoints, the WebSocket and, with *docs*, the documentation pages; *timing* is that of the WebSocket."""
    requests = requests or RequestRecords()
    api = RestAPI(backend, authenticate, allows_origin, trusted_proxies=trusted_proxies, requests=requests)
    config = SessionConfig(connections, authenticate, timing)
    socket = TaskSocket(backend, config, allows_origin, trusted_proxies=trusted_proxies, requests=requests)
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
