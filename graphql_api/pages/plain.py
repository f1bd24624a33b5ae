"""What a person finds who opens the endpoint in a browser while the playground is off: how to ask it."""

import base64
import hashlib
from collections.abc import Mapping
from html import escape
from typing import Final

from graphql_api.wire.answer import Answer
from graphql_api.wire.static import HTML

_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1c2430; --paper: #fbfaf7; --line: #d9d5cb; --mark: #0b6e6e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e6e1; --paper: #14181d; --line: #333b45; --mark: #5cc8c2; } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.6 system-ui, sans-serif; }
main { max-width: 46rem; margin: 0 auto; padding: 3rem 1.25rem 4rem; }
h1 { font-size: 1.6rem; margin: 0 0 .25rem; } h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; color: var(--mark); }
pre { overflow-x: auto; padding: .9rem 1rem; border: 1px solid var(--line); border-radius: .5rem; }
code { font: .875rem/1.5 ui-monospace, monospace; }
"""

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
    """The page as UTF-8 HTML, with examples for this address; it needs no script and nothing from elsewhere."""
    sections = "".join(
        f"<h2>{escape(title)}</h2><pre><code>{escape(example.format(url=url))}</code></pre>"
        for title, example in (
            ("Sign in", _LOGIN),
            ("Ask", _QUERY),
            ("Listen: a WebSocket here, subprotocol graphql-transport-ws", _SOCKET),
            ("Listen without one: Server-Sent Events", _EVENTS),
        )
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Taskriver GraphQL</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><main><h1>Taskriver speaks GraphQL here</h1>"
        f"<p>Send one operation as JSON by POST, or a query by GET, to <code>{escape(url)}</code>.</p>"
        f"{sections}</main></body></html>"
    ).encode()


def visit(url: str, asked: Mapping[bytes, bytes]) -> Answer:
    """The page as an answer that may do nothing at all, but wear its own style."""
    return Answer(200, endpoint_page(url), HTML, [(b"content-security-policy", _POLICY)])


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_digest(_STYLE)}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
).encode("ascii")
