"""The page that browsers get at the endpoint while GraphiQL is off: examples of requests."""

from collections.abc import Mapping
from html import escape
from typing import Final

from asgi.response import HTTPResponse
from asgi.static_files import HTML
from server.pages.html import HEADERS, document

_LOGIN: Final = """curl {url} -H 'content-type: application/json' -d '{{
  "query": "mutation ($input: LoginInput!) {{ login(input: $input) {{ accessToken userErrors {{ message }} }} }}",
  "variables": {{"input": {{"username": "ada", "password": "…"}}}}
}}'"""

_QUERY: Final = """curl {url} -H 'content-type: application/json' -H "authorization: Bearer $TOKEN" -d '{{
  "query": "{{ tasks(first: 5) {{ nodes {{ id title status }} pageInfo {{ hasNextPage endCursor }} }} }}"
}}'"""

_SOCKET: Final = """{{"type": "connection_init", "payload": {{"authorization": "Bearer …"}}}}
{{"type": "subscribe", "id": "1", "payload": {{
  "query": "subscription {{ taskStatusChanged {{ cursor taskId }} }}"
}}}}"""

_EVENTS: Final = """curl -N {url} -H 'accept: text/event-stream' -H 'content-type: application/json' \\
  -H "authorization: Bearer $TOKEN" -d '{{"query": "subscription {{ taskStatusChanged {{ cursor taskId }} }}"}}'"""


def endpoint_page(url: str) -> bytes:
    """The page as UTF-8 HTML, with examples for this URL."""
    sections = "".join(
        f"<h2>{escape(title)}</h2><pre><code>{escape(example.format(url=url))}</code></pre>"
        for title, example in (
            ("Sign in", _LOGIN),
            ("Query", _QUERY),
            ("Subscribe over a WebSocket (subprotocol graphql-transport-ws)", _SOCKET),
            ("Subscribe over Server-Sent Events", _EVENTS),
        )
    )
    return document(
        "GraphQL – Taskriver",
        f"<h1>GraphQL</h1><p>Send one operation as JSON by POST, or a query by GET, to <code>{escape(url)}</code>.</p>"
        f"{sections}",
    )


def respond(url: str, request_headers: Mapping[bytes, bytes]) -> HTTPResponse:
    """The response to a browser that opens the endpoint."""
    return HTTPResponse(200, endpoint_page(url), HTML, [*HEADERS])
