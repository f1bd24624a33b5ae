"""The API follows the specifications: GraphQL over HTTP (draft), and graphql-transport-ws.

https://graphql.github.io/graphql-over-http/draft/ · https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
"""

import asyncio
import json
from typing import Any, Final
from urllib.parse import quote

import websockets
from websockets.exceptions import ConnectionClosed

from verification.client.socket import SUBPROTOCOL
from verification.compat.http import exchange
from verification.promises.stack import Measured, Outcome, Stack

TIMEOUT_SECONDS: Final = 10.0
RESPONSE: Final = "application/graphql-response+json"
PLAIN: Final = "application/json"
SKIP: Final = "query ($skip: Boolean!) { __typename @skip(if: $skip) also: __typename }"
TYPENAME: Final = {"query": "{ __typename }"}

OVER_HTTP: Final[tuple[tuple[str, Any, str, set[int], str], ...]] = (
    ("POST", TYPENAME, RESPONSE, {200}, RESPONSE),
    ("POST", TYPENAME, PLAIN, {200}, PLAIN),
    ("POST", TYPENAME, "*/*", {200}, "application/"),
    ("POST", {"query": SKIP, "variables": {"skip": True}}, RESPONSE, {200}, RESPONSE),
    ("POST", {"query": "query A { __typename } query B { __typename }", "operationName": "A"}, PLAIN, {200}, PLAIN),
    ("POST", TYPENAME | {"variables": None, "operationName": None, "extensions": None}, PLAIN, {200}, PLAIN),
    ("POST", TYPENAME | {"unknown": 1}, PLAIN, {200}, PLAIN),
    ("POST", b"{", RESPONSE, {400}, ""),
    ("POST", b"[]", RESPONSE, {400}, ""),
    ("POST", {}, RESPONSE, {400}, ""),
    ("POST", {"query": 7}, RESPONSE, {400}, ""),
    ("POST", TYPENAME | {"variables": "x"}, RESPONSE, {400}, ""),
    ("POST", TYPENAME | {"operationName": 7}, RESPONSE, {400}, ""),
    ("POST", TYPENAME | {"extensions": []}, RESPONSE, {400}, ""),
    ("POST", {"query": "{"}, RESPONSE, {400}, RESPONSE),
    ("POST", {"query": "{ nothing }"}, RESPONSE, {400}, RESPONSE),
    ("POST", {"query": SKIP}, RESPONSE, {400}, RESPONSE),
    ("POST", {"query": SKIP, "variables": {"skip": "x"}}, RESPONSE, {400}, RESPONSE),
    ("POST", TYPENAME | {"operationName": "B"}, RESPONSE, {400}, RESPONSE),
    ("POST", {"query": "{"}, PLAIN, {200, 400}, PLAIN),
    ("GET", TYPENAME, RESPONSE, {200}, RESPONSE),
    ("GET", {"query": "mutation { logout { userErrors { code } } }"}, RESPONSE, {405}, ""),
)
"""Method, content, Accept header; allowed statuses, and the start of the media type."""

OVER_SOCKETS: Final[tuple[tuple[tuple[str, ...], int], ...]] = (
    (('{"type": "subscribe", "id": "1", "payload": {"query": "{ __typename }"}}',), 4401),
    (("nothing",), 4400),
    (('{"type": "nothing"}',), 4400),
    (('{"type": "connection_init"}', '{"type": "connection_init"}'), 4429),
)
"""The messages of a client, and the close code."""


async def prove(stack: Stack) -> Measured:
    """Send the requests of the specifications over HTTP and WebSockets, and check the responses."""
    wrong = [str(row[1]) for row in OVER_HTTP if not await asyncio.to_thread(_is_right, stack.first, *row)]
    wrong += [messages[-1] for messages, code in OVER_SOCKETS if await _closed_with(stack.first, messages) != code]
    checks = len(OVER_HTTP) + len(OVER_SOCKETS)
    value = f"{checks - len(wrong)} of {checks} audits of GraphQL over HTTP and of graphql-transport-ws"
    return Measured(value + (f"; not {wrong[0][:60]}" if wrong else ""), Outcome.of(not wrong))


def _is_right(url: str, method: str, sent: Any, accept: str, statuses: set[int], media: str) -> bool:
    status, media_type = _answer(url, method, sent, accept)
    return status in statuses and media_type.startswith(media)


def _answer(url: str, method: str, sent: Any, accept: str) -> tuple[int, str]:
    """Status and media type."""
    if method == "GET":
        reply = exchange(url, "GET", f"/graphql?query={quote(sent['query'])}", None, {"accept": accept})
    else:
        body = sent if isinstance(sent, bytes) else json.dumps(sent).encode()
        reply = exchange(url, "POST", "/graphql", body, {"accept": accept, "content-type": PLAIN})
    return reply.status, reply.headers.get("content-type", "").partition(";")[0]


async def _closed_with(url: str, messages: tuple[str, ...]) -> int | None:
    """The close code; None if the WebSocket stays open."""
    address = f"{url.replace('http', 'ws', 1)}/graphql"
    async with websockets.connect(address, subprotocols=[SUBPROTOCOL]) as socket:
        try:
            for text in messages:
                await socket.send(text)
            async with asyncio.timeout(TIMEOUT_SECONDS):
                while True:
                    await socket.recv()
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd is not None else None
        except TimeoutError:
            return None
