"""An extension of this project's HTTP server: read a body or send a response in one call, without ASGI messages."""

import asyncio
from collections.abc import Callable
from functools import lru_cache
from typing import Final, Protocol
from weakref import ref

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from asgi.flow_control import Flow

EXCHANGE: Final = "taskriver.exchange"
"""The extension of the ASGI scope; other servers do not have it."""

_END: Final = b"\r\n"
_LAST: Final = b"connection: close\r\n\r\n"


class ResponseWriter(Protocol):
    """Sends the response to one request."""

    extra_lines: bytes
    """Header lines that middleware adds to the response, each with its CRLF."""

    def respond(self, status: int, lines: bytes, body: bytes) -> bool:
        """Send a complete response with a body. False, without effect, if it must be sent as ASGI messages.

        *lines* are its header lines, each with its CRLF; they are not validated.
        """


class Exchange(ResponseWriter, Protocol):
    """One request and its response."""

    def body(self) -> bytes | None:
        """The whole body if it has arrived; None if it must be received. Call it once, before anything is received."""


def without_exchange(scope: Scope) -> Scope:
    """The scope without the extension, for an application that gets a body that was received already."""
    extensions = {name: value for name, value in (scope.get("extensions") or {}).items() if name != EXCHANGE}
    return {**scope, "extensions": extensions}


def exchange_of(scope: Scope) -> Exchange | None:
    """The exchange, if the server has the extension."""
    found: Exchange | None = (scope.get("extensions") or {}).get(EXCHANGE)
    return found


class _BatchedTransport:
    """The transport of one response: it writes the head together with the body.

    The body usually follows at once, and two writes would take twice as long. The head is written alone if the loop
    iterates before the body comes. The class has the methods that uvicorn uses.
    """

    __slots__ = ("_head", "_is_head_pending", "_loop", "_transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._head = b""
        self._is_head_pending = True

    def write(self, data: bytes) -> None:
        """Write the data, now or soon."""
        if self._is_head_pending:
            self._is_head_pending, self._head = False, data
            self._loop.call_soon(self._flush)
        else:
            head, self._head = self._head, b""
            self._transport.write(head + data)

    def close(self) -> None:
        """Close the transport after the data."""
        self._flush()
        self._end()

    def is_closing(self) -> bool:
        """Whether the transport is closing."""
        return self._transport.is_closing()

    def _end(self) -> None:
        self._transport.close()

    def _flush(self) -> None:
        head, self._head = self._head, b""
        if head and not self._transport.is_closing():
            self._transport.write(head)


class HTTPExchange(_BatchedTransport):
    """A request and its response without ASGI messages: does what uvicorn does with these in the simple case."""

    __slots__ = ("_cycle", "extra_lines")

    def __init__(self, cycle: RequestResponseCycle, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop):
        super().__init__(transport, loop)
        # A weak reference: the cycle refers to this object, and a reference cycle would leave its memory to the
        # collector.
        self._cycle = ref(cycle)
        self.extra_lines = b""

    def body(self) -> bytes | None:
        """The whole body if it has arrived."""
        cycle = self._cycle()
        if cycle is None or cycle.more_body or cycle.disconnected or cycle.waiting_for_100_continue:
            return None
        body, cycle.body = bytes(cycle.body), bytearray()
        return body

    def respond(self, status: int, lines: bytes, body: bytes) -> bool:
        """Write the response and continue with the next request. False if the client reads too slowly or is gone."""
        cycle = self._cycle()
        if cycle is None or not can_respond(cycle):
            return False
        self._flush()  # a "100 Continue" comes first
        write_response(cycle, self._transport, self._end, status, lines + self.extra_lines, body)
        return True

    def _end(self) -> None:
        cycle = self._cycle()
        if cycle is not None and cycle.more_body and isinstance(cycle.flow, Flow):
            cycle.flow.close_after_response(self._loop)
        else:
            super()._end()


def can_respond(cycle: RequestResponseCycle) -> bool:
    """Whether a response can be written in one step: none was started, and the client is there and reads."""
    return not (cycle.response_started or cycle.disconnected or cycle.flow.write_paused)


def write_response(
    cycle: RequestResponseCycle,
    transport: asyncio.Transport,
    close: Callable[[], None],
    status: int,
    lines: bytes,
    body: bytes,
) -> None:
    """Write the response of a cycle and continue with the next request; *close* closes the connection."""
    cycle.response_started = cycle.response_complete = True
    cycle.waiting_for_100_continue = False
    end = _END if cycle.keep_alive else _LAST
    transport.write(b"".join((STATUS_LINE[status], _lines(tuple(cycle.default_headers)), lines, end, body)))
    cycle.message_event.set()
    if not cycle.keep_alive:
        close()
    cycle.on_response()


@lru_cache(maxsize=4)
def _lines(headers: tuple[tuple[bytes, bytes], ...]) -> bytes:
    # The headers contain the date, which changes every second.
    return b"".join(b"%b: %b\r\n" % header for header in headers)
