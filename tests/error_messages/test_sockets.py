"""Errors on sockets: the messages and close codes."""

from typing import Any

import pytest

from tests.error_messages.client import FOREIGN, MistakenClient, Talk

LISTEN = "subscription { taskChanged { cursor } }"


def init(authorization: str) -> dict[str, Any]:
    """The first message, with this as `Authorization`."""
    return {"type": "connection_init", "payload": {"authorization": authorization}}


def subscribe(query: str) -> dict[str, Any]:
    """A message that asks for an operation."""
    return {"type": "subscribe", "id": "1", "payload": {"query": query}}


def tasks(*frames: dict[str, Any] | str | bytes, more: str = "", **headers: str) -> Talk:
    """A socket of the older API."""
    return Talk(frames, f"/ws/tasks/<some uuid>{more}", None, headers)


NO_USER = {"type": "connection_init"}
ME = init("Bearer <token>")

# fmt: off
GRAPHQL = [
    ("No subprotocol", Talk(subprotocol=None),
     "4406 Subprotocol not acceptable: offer graphql-transport-ws"),
    ("The subprotocol of another library", Talk(subprotocol="graphql-ws"),
     "4406 Subprotocol not acceptable: offer graphql-transport-ws"),
    ("A page of another site", Talk(headers=FOREIGN),
     "403 Pages of this origin may not subscribe. ALLOWED_ORIGINS lists the allowed origins."),
    ("A typo in the address", Talk(path="/grapql"),
     "404 There is no WebSocket at this path. <what there is>"),
    ("A subscription before connection_init", Talk((subscribe(LISTEN),)),
     "4401 Unauthorized: send connection_init and wait for connection_ack"),
    ("A subscription without a token", Talk((NO_USER, subscribe(LISTEN))),
     "error UNAUTHENTICATED: Not authenticated: send the `accessToken` that `login` returns as `Authorization: Bearer …`, or on a WebSocket in the payload of `connection_init`."),
    ("A query without a token", Talk((NO_USER, subscribe("{ me { id } }"))),
     "next UNAUTHENTICATED: Not authenticated: send the `accessToken` that `login` returns as `Authorization: Bearer …`, or on a WebSocket in the payload of `connection_init`."),
    ("A token with another signature", Talk((init("Bearer <forged>"),)),
     "4401 Unauthorized: this is not an access token of this server"),
    ("Another scheme", Talk((init("Basic YTpi"),)),
     "4401 Unauthorized: this is not an access token of this server"),
    ("A token that has expired", Talk((init("Bearer <expired>"),)),
     "4403 Forbidden: Token has expired: get a new one with `refreshToken`, or sign in again."),
    ("A token whose session was signed out", Talk((init("Bearer <revoked>"),)),
     "4403 Forbidden: Invalid token: its session has ended, or its user was disabled. Sign in again."),
    ("A payload that is no object", Talk(({"type": "connection_init", "payload": "x"},)),
     "4400 The payload must be an object or null"),
    ("connection_init twice", Talk((ME, ME)),
     "4429 Too many initialisation requests: one is enough"),
    ("Text that is not JSON", Talk(("hello",)),
     "4400 The message is not JSON"),
    ("A binary frame", Talk((b"hello",)),
     "4400 Messages are text, not binary"),
    ("A message of another protocol", Talk((ME, {"type": "start", "id": "1", "payload": {"query": LISTEN}})),
     "4400 The type of the message must be connection_init, subscribe, complete, ping or pong"),
    ("A subscription without an id", Talk((ME, {"type": "subscribe", "payload": {"query": LISTEN}})),
     "4400 The message needs an id, a string of 1 to 255 characters"),
    ("A subscription without a query", Talk((ME, {"type": "subscribe", "id": "1", "payload": {}})),
     "4400 The request has no query: put the document's text into `query`."),
    ("An id that is in use", Talk((ME, subscribe(LISTEN), subscribe(LISTEN))),
     "4409 Subscriber for 1 already exists"),
    ("A typo in a subscription", Talk((ME, subscribe("subscription { taskChange { cursor } }"))),
     "error BAD_REQUEST: Cannot query field 'taskChange' on type 'Subscription'. Did you mean 'taskChanged'?"),
    ("A cursor that is none", Talk((ME, subscribe('subscription { taskChanged(after: "x") { cursor } }'))),
     "error BAD_REQUEST: This stream cursor was not made by this API; omit `after` to start now."),
]
OLDER = [
    ("A client_id that is no UUID", Talk((), "/ws/tasks/42", None),
     "403 The last part of the path must be a UUID for the client; any UUID will do."),
    ("A page of another site", Talk((), "/ws/tasks/<some uuid>", None, FOREIGN),
     "403 Pages of this origin may not subscribe. ALLOWED_ORIGINS lists the allowed origins."),
    ("Something else is said first", tasks("hello"),
     'error UNAUTHENTICATED: Send {"type": "auth", "token": "…"} first.'),
    ("A token in the address", tasks("hello", more="?token=<token>"),
     'error UNAUTHENTICATED: Send {"type": "auth", "token": "…"} first.'),
    ("A token with another signature", tasks({"type": "auth", "token": "<forged>"}),
     "4401 Unauthorized: this is not an access token of this server"),
    ("The same in the header", tasks(authorization="Bearer <forged>"),
     "4401 Unauthorized: this is not an access token of this server"),
    ("A token that has expired", tasks({"type": "auth", "token": "<expired>"}),
     "4403 Forbidden: Token has expired: get a new one with `refreshToken`, or sign in again."),
    ("A token whose session was signed out", tasks({"type": "auth", "token": "<revoked>"}),
     "4403 Forbidden: Invalid token: its session has ended, or its user was disabled. Sign in again."),
    ("A change", tasks({"type": "auth", "token": "<token>"}, '{"completed": true}'),
     "error BAD_REQUEST: This WebSocket only sends events; change tasks over HTTP."),
    ("A binary frame", tasks({"type": "auth", "token": "<token>"}, b"hello"),
     "1003 Messages are text, not binary"),
    ("A cursor that is none", tasks({"type": "auth", "token": "<token>"}, more="?after=x"),
     "error BAD_REQUEST: This stream cursor was not made by this API; omit `after` to start now."),
]

SILENCE: list[tuple[str, Talk, str]] = [
    ("GraphQL", Talk(),
     "4408 Connection initialisation timeout: send connection_init first"),
    ("The older socket", tasks(),
     '4408 No sign-in in time. Send {"type": "auth", "token": "…"} first.'),
]
# fmt: on


@pytest.mark.parametrize(("mistake", "answer"), [row[1:] for row in GRAPHQL], ids=[row[0] for row in GRAPHQL])
async def test_the_message_of_graphql_sockets(culprit: MistakenClient, mistake: Talk, answer: str):
    """Each error or close reason says what happened and what to do next."""
    assert await culprit.does(mistake) == answer


@pytest.mark.parametrize(("mistake", "answer"), [row[1:] for row in OLDER], ids=[row[0] for row in OLDER])
async def test_on_the_older_socket_it_is_answered_so(culprit: MistakenClient, mistake: Talk, answer: str):
    """The same on `/ws/tasks/{client_id}`."""
    assert await culprit.does(mistake) == answer


@pytest.mark.parametrize(("mistake", "answer"), [row[1:] for row in SILENCE], ids=[row[0] for row in SILENCE])
async def test_the_message_after_silence(impatient: MistakenClient, mistake: Talk, answer: str):
    """The close reason says what the server waited for."""
    assert await impatient.does(mistake) == answer
