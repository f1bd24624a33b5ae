"""404 responses that list the available endpoints."""

from collections.abc import Sequence
from html import escape
from typing import Final

import orjson
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send

from asgi.request_id import request_id_of
from asgi.response import HTTPResponse
from asgi.static_files import HTML
from asgi.websocket_handshake import reject_handshake
from graphql_api.transports.http.content_negotiation import wants_page
from server.pages.html import HEADERS, document

_HIDDEN: Final = {"/", "/icon.svg", "/favicon.ico"}


class NotFoundPages:
    """The ASGI application for all unknown paths."""

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        pages = _pages(routes)
        self._text = endpoints_text(routes)
        links = "".join(f'<li><a href="{escape(each)}">{escape(each)}</a></li>' for each in pages)
        body = (
            f'<h1>Page not found</h1><p>See the <a href="/">start page</a>, or one of these paths:</p><ul>{links}</ul>'
        )
        self._page = document("Not found – Taskriver", body)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or reject one WebSocket handshake."""
        if scope["type"] == "websocket":
            await reject_handshake(scope, send, 404, f"There is no WebSocket at this path. {self._text}")
            return
        request_headers = dict(scope["headers"])
        if wants_page(request_headers.get(b"accept", b"").decode("latin-1")):
            response = HTTPResponse(404, self._page, HTML, [*HEADERS])
        else:
            response = HTTPResponse(404, orjson.dumps({"detail": f"Not found. {self._text}"}))
        await response.send(
            send,
            request_id=request_id_of(request_headers),
            with_body=scope["method"] != "HEAD",
            accept_encoding=request_headers.get(b"accept-encoding", b""),
        )


def endpoints_text(routes: Sequence[BaseRoute]) -> str:
    """A sentence that lists the paths for HTTP and for WebSockets."""
    sockets = " and ".join(_paths(routes, WebSocketRoute))
    return f"This server has {', '.join(_pages(routes))}, and the WebSockets {sockets}."


def _pages(routes: Sequence[BaseRoute]) -> list[str]:
    return [path for path in _paths(routes, Route) if "{" not in path and path not in _HIDDEN]


def _paths(routes: Sequence[BaseRoute], kind: type[Route] | type[WebSocketRoute]) -> list[str]:
    paths = (route.path for route in routes if isinstance(route, kind))
    return [path for path in dict.fromkeys(paths) if path == "/" or not path.endswith("/")]
