"""The start page at `/`."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

import orjson
from starlette.types import Receive, Scope, Send

from asgi.request_id import request_id_of
from asgi.response import HTTPResponse
from asgi.static_files import HTML
from graphql_api.transports.http.content_negotiation import wants_page
from server.pages.demo_users import DemoUsers
from server.pages.html import HEADERS, document


@dataclass(frozen=True, slots=True)
class Destination:
    """A page of this server."""

    name: str
    path: str
    text: str

    def links(self, pages: "Sequence[Destination]") -> dict[str, str]:
        """The paths of the other *pages*, by name."""
        return {each.name: each.path for each in pages if each is not self}


BOARD: Final = Destination("Board", "/board", "Tasks in four columns; changes by other users appear at once.")
ACCOUNT: Final = Destination("Account", "/account", "Your password, sessions and access tokens. Admins manage users.")
GRAPHIQL: Final = Destination("GraphiQL", "/graphql", "Write and run queries, mutations and subscriptions.")
REST: Final = Destination("REST API", "/docs", "Swagger UI, for clients of FastAPI Task Manager.")
SCHEMA: Final = Destination("Schema", "/schema.graphql", "The GraphQL schema as text, for code generators.")


def destinations(board: bool, account: bool, graphiql: bool, rest: bool, schema: bool) -> list[Destination]:
    """The enabled pages, in display order."""
    found = {BOARD: board, ACCOUNT: account, GRAPHIQL: graphiql, REST: rest, SCHEMA: schema}
    return [each for each, is_on in found.items() if is_on]


_ENDPOINTS: Final = {
    "GraphQL over HTTP": "<code>/graphql</code>",
    "Subscriptions": (
        "<code>/graphql</code> as a WebSocket (<code>graphql-transport-ws</code>), "
        "or with <code>Accept: text/event-stream</code>"
    ),
    "REST": "<code>/api/v1</code>",
    "Status": "<code>/readyz</code>",
}


class Landing:
    """The ASGI application at `/`: a page for browsers, and *text* as JSON for other clients."""

    def __init__(self, destinations: Sequence[Destination], demo: DemoUsers | None, text: str) -> None:
        self._page = document("Taskriver", _body(destinations, demo))
        self._json = orjson.dumps({"detail": text})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request_headers = dict(scope["headers"])
        accept = request_headers.get(b"accept", b"").decode("latin-1")
        response = (
            HTTPResponse(200, self._page, HTML, [*HEADERS]) if wants_page(accept) else HTTPResponse(200, self._json)
        )
        response.headers.append((b"vary", b"accept"))
        await response.send(
            send,
            request_id=request_id_of(request_headers),
            with_body=scope["method"] != "HEAD",
            accept_encoding=request_headers.get(b"accept-encoding", b""),
        )


def _body(destinations: Sequence[Destination], demo: DemoUsers | None) -> str:
    cards = "".join(
        f'<li><a href="{each.path}"><b>{each.name}</b><span>{each.text}</span></a></li>' for each in destinations
    )
    endpoints = "".join(f"<dt>{name}</dt><dd>{path}</dd>" for name, path in _ENDPOINTS.items())
    return (
        "<h1>Tasks for teams, with a live stream</h1>"
        "<p>This server is a task backend: a GraphQL API with subscriptions, and a REST API for older clients. "
        "Users receive all changes that they may see, also after a lost connection.</p>"
        f'<ul class="cards">{cards}</ul>{_demo_users(demo)}<h2>Endpoints</h2><dl>{endpoints}</dl>'
    )


def _demo_users(demo: DemoUsers | None) -> str:
    if demo is None:
        return ""
    names = ", ".join(f"<code>{escape(name)}</code>" for name in demo.names)
    return f"<h2>Demo users</h2><p>{names}; the password of each is <code>{escape(demo.password)}</code>.</p>"
