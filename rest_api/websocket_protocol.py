"""The server side of `/ws/tasks/…` as a state machine without clock and network: inputs in, effects out.

WAITING ── auth, or the header ──▶ SIGNING_IN ── signed_in ──▶ LISTENING
   └────────────────────────── close ─────────────────────────────┴──▶ CLOSED
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

import orjson

from asgi.close_codes import CloseCode, CloseReason, close_reason
from domain.errors import FailureCode
from graphql_api.auth.tokens import MAX_TOKEN
from rest_api import websocket_frames

_AUTH_FIRST: Final = 'Send {"type": "auth", "token": "…"} first.'
_RECEIVE_ONLY: Final = "This WebSocket only sends events; change tasks over HTTP."
_MAX_AUTH: Final = 2 * MAX_TOKEN


class State(Enum):
    """The state of the connection."""

    WAITING = "waiting"
    SIGNING_IN = "signing in"
    LISTENING = "listening"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class SignIn:
    """Authenticate, then call `signed_in` or close."""

    authorization: str


@dataclass(frozen=True, slots=True)
class Listen:
    """Subscribe to the stream."""


Effect = str | CloseReason | SignIn | Listen
"""A `str` sends a text frame. A `CloseReason` closes the WebSocket; no effect follows."""
Effects = Sequence[Effect]

_NOTHING: Final[Effects] = ()


class WebSocketProtocol:
    """The protocol of one WebSocket. Each method returns the effects in order; none raises because of client input."""

    def __init__(self) -> None:
        self.state = State.WAITING
        self._sent_since_tick = False

    def opened(self, authorization: str | None) -> Effects:
        """The WebSocket is open; *authorization* is the header of its handshake."""
        return self._sign_in(authorization) if authorization is not None else _NOTHING

    def receive_text(self, text: str) -> Effects:
        """A text frame was received."""
        if self.state is State.CLOSED:
            return _NOTHING
        if self.state is not State.WAITING:
            return (websocket_frames.error(FailureCode.BAD_REQUEST, _RECEIVE_ONLY),)
        token = _token(text)
        if token is None:
            error = websocket_frames.error(FailureCode.UNAUTHENTICATED, _AUTH_FIRST)
            return (error, *self.close(CloseCode.UNAUTHORIZED, "Unauthorized: the first message was not auth"))
        return self._sign_in(f"Bearer {token}")

    def receive_binary(self) -> Effects:
        """A binary frame was received."""
        return self.close(CloseCode.UNSUPPORTED_DATA, "Messages are text, not binary")

    def first_message_timed_out(self) -> Effects:
        """The time limit for the first message has passed."""
        if self.state is not State.WAITING:
            return _NOTHING
        return self.close(CloseCode.TIMED_OUT, f"No sign-in in time. {_AUTH_FIRST}")

    def signed_in(self) -> Effects:
        """The client is authenticated."""
        if self.state is not State.SIGNING_IN:
            return _NOTHING
        self.state = State.LISTENING
        return (Listen(),)

    def listening(self, cursor: str) -> Effects:
        """The subscription starts at *cursor*: the client can resume with it."""
        return self._send(websocket_frames.cursor(cursor))

    def item(self, text: str) -> Effects:
        """The stream delivered an item."""
        return self._send(text)

    def tick(self, cursor: str | None) -> Effects:
        """An interval has passed; if nothing was sent in it, the client gets the position of the stream."""
        sent, self._sent_since_tick = self._sent_since_tick, False
        if sent or cursor is None or self.state is not State.LISTENING:
            return _NOTHING
        return (websocket_frames.cursor(cursor),)

    def refuse(self, code: FailureCode, message: str) -> Effects:
        """The client sent an invalid value, such as an invalid cursor."""
        return (websocket_frames.error(code, message), *self.close(CloseCode.BAD_MESSAGE, message))

    def forbid(self, code: FailureCode, message: str) -> Effects:
        """The client may not listen."""
        return (websocket_frames.error(code, message), *self.close(CloseCode.UNAUTHORIZED, f"Unauthorized: {message}"))

    def close(self, code: CloseCode, why: str) -> Effects:
        """Close the connection; only the first reason counts."""
        if self.state is State.CLOSED:
            return _NOTHING
        self.state = State.CLOSED
        return (close_reason(code, why),)

    def _sign_in(self, authorization: str) -> Effects:
        self.state = State.SIGNING_IN
        return (SignIn(authorization),)

    def _send(self, text: str) -> Effects:
        if self.state is not State.LISTENING:
            return _NOTHING
        self._sent_since_tick = True
        return (text,)


def _token(text: str) -> str | None:
    """The token of an `auth` message; None for any other message."""
    try:
        value: Any = orjson.loads(text) if len(text) <= _MAX_AUTH else None
    except orjson.JSONDecodeError:
        return None
    if not isinstance(value, dict) or value.get("type") != "auth":
        return None
    token = value.get("token")
    return token if isinstance(token, str) else None
