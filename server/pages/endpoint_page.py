"""The pages that browsers get at the endpoint while GraphiQL is off: examples of requests."""

from collections.abc import Callable, Mapping
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


_BY_ID: Final = """curl {url} -H 'content-type: application/json' -H "authorization: Bearer $TOKEN" -d '{{
  "documentId": "…", "variables": {{"first": 5}}
}}'"""


def trusted_only_page(url: str) -> bytes:
    """The page of a server that executes only trusted documents, with an example for this URL."""
    return document(
        "GraphQL – Taskriver",
        "<h1>GraphQL</h1><p>This server executes only trusted documents (<code>TRUSTED_DOCUMENTS=require</code>). So "
        "there is no GraphiQL here: it would refuse what you write. For development, use a server with "
        "<code>TRUSTED_DOCUMENTS=prefer</code> or <code>off</code>.</p>"
        "<p>Operators add the manifests of clients with <code>taskriver documents add</code>. Clients send the id of a "
        f"document to <code>{escape(url)}</code>:</p><pre><code>{escape(_BY_ID.format(url=url))}</code></pre>",
    )


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


def respond_of(only_trusted_documents: bool) -> Callable[[str, Mapping[bytes, bytes]], HTTPResponse]:
    """What makes the response to a browser that opens the endpoint, from its URL and the headers of the request."""
    page = trusted_only_page if only_trusted_documents else endpoint_page

    def respond(url: str, request_headers: Mapping[bytes, bytes]) -> HTTPResponse:
        return HTTPResponse(200, page(url), HTML, [*HEADERS])

    return respond
