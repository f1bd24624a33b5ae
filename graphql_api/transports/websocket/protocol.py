"""The server side of graphql-transport-ws as a state machine: events in, effects out, without clock and network.

    WAITING ── connection_init ──▶ AUTHENTICATING ── authenticated ──▶ READY
       └──────────────── a protocol error ────────────────────────────────┴──▶ CLOSED

https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import count
from typing import Any, Final, NamedTuple

from asgi.close_codes import CloseCode, CloseReason, close_reason
from domain.errors import FailureCode
from graphql_api.errors import ErrorDict
from graphql_api.execution.request import OperationRequest
from graphql_api.transports.websocket import frames

SUBPROTOCOL: Final = "graphql-transport-ws"
MAX_MESSAGE: Final = 64 * 1024
MAX_OPERATIONS: Final = 100
MAX_SILENT_TICKS: Final = 1
"""After this number of ping intervals without a message from the client, the connection is closed."""


class State(Enum):
    """The state of the connection."""

    WAITING = "waiting"
    AUTHENTICATING = "authenticating"
    READY = "ready"
    CLOSED = "closed"


class Key(NamedTuple):
    """One operation: the id of the client, and a serial number, because clients may reuse an id."""

    id: str
    serial: int


@dataclass(frozen=True, slots=True)
class Authenticate:
    """Authenticate the client, then call `authenticated` or close."""

    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Start:
    """Start this operation, and call `finished` when its task has ended."""

    key: Key
    request: OperationRequest


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop this operation: the client no longer waits for it."""

    key: Key


Effect = str | CloseReason | Authenticate | Start | Stop
"""A `str` sends a text frame. A `CloseReason` closes the WebSocket; no effect follows."""
Effects = Sequence[Effect]

_NOTHING: Final[Effects] = ()


class Protocol:
    """The protocol of one WebSocket. Every method returns the effects to perform, in order.

    Errors of the client are effects too; they are never raised. *max_message* is in bytes of UTF-8. *max_operations*
    includes operations that are still running although the client no longer waits for them.
    """

    def __init__(self, *, max_message: int = MAX_MESSAGE, max_operations: int = MAX_OPERATIONS) -> None:
        self._max_message = max_message
        self._max_operations = max_operations
        self._active: dict[str, Key] = {}
        self._running: set[Key] = set()
        self._serials = count(1)
        self._silent = 0
        self.state = State.WAITING

    def receive_text(self, text: str) -> Effects:
        """A text frame was received."""
        self._silent = 0
        if self.state is State.CLOSED:
            return _NOTHING
        data = text.encode("utf-8", "surrogatepass")
        if len(data) > self._max_message:
            return self.close(CloseCode.BAD_MESSAGE, f"The message is larger than {self._max_message:,} bytes")
        try:
            message = frames.read(data)
        except frames.BadMessage as bad:
            return self.close(CloseCode.BAD_MESSAGE, str(bad))
        return self._handle(message)

    def receive_binary(self) -> Effects:
        """A binary frame was received."""
        return self.close(CloseCode.BAD_MESSAGE, "Messages are text, not binary")

    def first_message_timed_out(self) -> Effects:
        """The time limit for the first message has passed."""
        if self.state is not State.WAITING:
            return _NOTHING
        return self.close(CloseCode.TIMED_OUT, "Connection initialisation timeout: send connection_init first")

    def tick(self, payload: dict[str, Any] | None = None) -> Effects:
        """A ping interval has passed. *payload* is the payload of the ping."""
        if self.state is State.CLOSED:
            return _NOTHING
        self._silent += 1
        if self._silent > MAX_SILENT_TICKS:
            return self.close(CloseCode.TIMED_OUT, "The client sent no message and no pong")
        return (frames.ping(payload),)

    def authenticated(self) -> Effects:
        """The client is authenticated, or anonymous."""
        if self.state is not State.AUTHENTICATING:
            return _NOTHING
        self.state = State.READY
        return (frames.ACK,)

    def result(self, key: Key, payload: str) -> Effects:
        """An operation has a result. *payload* is JSON."""
        frame = self.frame(key, payload)
        return (frame,) if frame is not None else _NOTHING

    def frame(self, key: Key, payload: str) -> str | None:
        """The frame for a result; None if the client no longer waits for the operation."""
        return frames.next_(key.id, payload) if self.listens(key) else None

    def failed(self, key: Key, errors: Sequence[ErrorDict]) -> Effects:
        """An operation was not executed, and has ended."""
        return self._end(key, frames.error(key.id, errors))

    def completed(self, key: Key) -> Effects:
        """An operation has no more results."""
        return self._end(key, frames.complete(key.id))

    def finished(self, key: Key) -> None:
        """The task of an operation has ended."""
        self._running.discard(key)

    def close(self, code: CloseCode, why: str) -> Effects:
        """Close the connection. Only the first call counts."""
        if self.state is State.CLOSED:
            return _NOTHING
        self.state = State.CLOSED
        self._active.clear()
        return (close_reason(code, why),)

    def listens(self, key: Key) -> bool:
        """Whether the client waits for this operation."""
        return self._active.get(key.id) == key

    def _handle(self, message: frames.Message) -> Effects:
        if message.request is not None:
            return self._subscribe(message.id, message.request)
        match message.type:
            case "connection_init":
                return self._init(message.payload or {})
            case "ping":
                return (frames.pong(message.payload),)
            case "complete":
                return self._complete(message.id)
        return _NOTHING

    def _init(self, payload: dict[str, Any]) -> Effects:
        if self.state is not State.WAITING:
            return self.close(CloseCode.TOO_MANY_INITS, "Too many initialisation requests: one is enough")
        self.state = State.AUTHENTICATING
        return (Authenticate(payload),)

    def _subscribe(self, id: str, request: OperationRequest) -> Effects:
        if self.state is not State.READY:
            return self.close(CloseCode.UNAUTHORIZED, "Unauthorized: send connection_init and wait for connection_ack")
        if id in self._active:
            return self.close(CloseCode.DUPLICATE, f"Subscriber for {id} already exists")
        if len(self._running) >= self._max_operations:
            return (frames.error(id, [_too_many(self._max_operations)]),)
        key = Key(id, next(self._serials))
        self._active[id] = key
        self._running.add(key)
        return (Start(key, request),)

    def _complete(self, id: str) -> Effects:
        key = self._active.pop(id, None)
        return (Stop(key),) if key else _NOTHING

    def _end(self, key: Key, text: str) -> Effects:
        if not self.listens(key):
            return _NOTHING
        del self._active[key.id]
        return (text,)


def _too_many(most: int) -> ErrorDict:
    return {
        "message": f"At most {most} operations may run on one WebSocket: complete one, or open another WebSocket.",
        "extensions": {"code": FailureCode.TOO_EXPENSIVE.value},
    }
