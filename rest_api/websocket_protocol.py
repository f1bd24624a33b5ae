"""The server's half of `/ws/tasks/…` as a state machine: what happens in, what to do out, no clock and no network.

WAITING ── auth, or the header ──▶ SIGNING_IN ── signed_in ──▶ LISTENING
   └────────────────── whatever ends it ──────────────────────────┴──▶ CLOSED
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

import orjson

from asgi.close_codes import CloseCode, reason
from domain.errors import FailureCode
from graphql_api.auth.tokens import MAX_TOKEN
from rest_api import websocket_frames

_HOW: Final = 'Send {"type": "auth", "token": "…"} first.'
_ONLY_TELLS: Final = "This socket only tells; change tasks over HTTP."
_MAX_AUTH: Final = 2 * MAX_TOKEN


class State(Enum):
    """How far the dialogue has come."""

    WAITING = "waiting"
    SIGNING_IN = "signing in"
    LISTENING = "listening"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Send:
    """Send this text frame."""

    text: str


@dataclass(frozen=True, slots=True)
class SignIn:
    """Find out who this proves, then say `signed_in` or close."""

    authorization: str


@dataclass(frozen=True, slots=True)
class Listen:
    """Begin to listen to the stream."""


@dataclass(frozen=True, slots=True)
class Close:
    """Close the socket; nothing follows."""

    code: CloseCode
    reason: str


Effect = Send | SignIn | Listen | Close
Effects = Sequence[Effect]

_NOTHING: Final[Effects] = ()


class WebSocketProtocol:
    """One socket's dialogue. Every method says what to do now, in order; none raises for what a client did."""

    def __init__(self) -> None:
        self.state = State.WAITING
        self._told = False

    def opened(self, authorization: str | None) -> Effects:
        """The socket is open; *authorization* is its upgrade's header."""
        return self._sign_in(authorization) if authorization is not None else _NOTHING

    def receive_text(self, text: str) -> Effects:
        """A text frame came; it is answered, and nobody else ever sees it."""
        if self.state is State.CLOSED:
            return _NOTHING
        if self.state is not State.WAITING:
            return (Send(websocket_frames.error(FailureCode.BAD_REQUEST, _ONLY_TELLS)),)
        token = _token(text)
        if token is None:
            told = Send(websocket_frames.error(FailureCode.UNAUTHENTICATED, _HOW))
            return (told, *self.close(CloseCode.UNAUTHORIZED, "Unauthorized: the first message was not auth"))
        return self._sign_in(f"Bearer {token}")

    def receive_binary(self) -> Effects:
        """A binary frame came."""
        return self.close(CloseCode.UNSUPPORTED_DATA, "Messages are text, not binary")

    def late(self) -> Effects:
        """The time to sign in is over."""
        if self.state is not State.WAITING:
            return _NOTHING
        return self.close(CloseCode.TIMED_OUT, f"Nobody signed in. {_HOW}")

    def signed_in(self) -> Effects:
        """Who this is has been settled."""
        if self.state is not State.SIGNING_IN:
            return _NOTHING
        self.state = State.LISTENING
        return (Listen(),)

    def listening(self, cursor: str) -> Effects:
        """The stream is listened to from *cursor* on: the client may rely on it, and come back with it."""
        return self._tell(websocket_frames.cursor(cursor))

    def item(self, text: str) -> Effects:
        """The stream has told something."""
        return self._tell(text)

    def tick(self, cursor: str | None) -> Effects:
        """An interval has passed; whoever heard nothing in it learns where the stream stands."""
        told, self._told = self._told, False
        return _NOTHING if told or cursor is None else self._tell(websocket_frames.cursor(cursor))

    def refuse(self, code: FailureCode, message: str) -> Effects:
        """The client asked for what cannot be done, such as a cursor that is none."""
        return (Send(websocket_frames.error(code, message)), *self.close(CloseCode.BAD_MESSAGE, message))

    def close(self, code: CloseCode, why: str) -> Effects:
        """End the dialogue; only the first reason counts."""
        if self.state is State.CLOSED:
            return _NOTHING
        self.state = State.CLOSED
        return (Close(code, reason(why)),)

    def _sign_in(self, authorization: str) -> Effects:
        self.state = State.SIGNING_IN
        return (SignIn(authorization),)

    def _tell(self, text: str) -> Effects:
        if self.state is not State.LISTENING:
            return _NOTHING
        self._told = True
        return (Send(text),)


def _token(text: str) -> str | None:
    """The token of an `auth` message; None if it is anything else."""
    try:
        value: Any = orjson.loads(text) if len(text) <= _MAX_AUTH else None
    except orjson.JSONDecodeError:
        return None
    if not isinstance(value, dict) or value.get("type") != "auth":
        return None
    token = value.get("token")
    return token if isinstance(token, str) else None
