"""HTTP/1.1 as uvicorn reads it, with an end to its patience."""

import asyncio
from functools import lru_cache
from typing import Any, Final
from weakref import ref

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from graphql_api.wire.exchange import EXCHANGE
from graphql_api.wire.writer import ABORT

MAX_HEAD: Final = 64 * 1024
HEAD_SECONDS: Final = 10.0
"""From the connection, or from the first byte behind the last request, until a head must be complete."""

_END: Final = b"\r\n"
_LAST: Final = b"connection: close\r\n\r\n"
_TOO_LARGE: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"  # RFC 6585, 5
)


class _Ended(list[tuple[bytes, bytes]]):
    """The fields of a head that has ended: those that come behind a body, trailers, are not kept."""

    def append(self, field: tuple[bytes, bytes]) -> None:
        """Drop it."""


class _Together:
    """The transport of one answer, whose head waits for its body until the loop has gone round.

    Mostly they come one right after the other, and to write twice takes twice as long. All that uvicorn asks of a
    transport for an answer is here.
    """

    __slots__ = ("_head", "_is_first", "_loop", "_transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._head = b""
        self._is_first = True

    def write(self, data: bytes) -> None:
        """Write it, or have it written soon."""
        if self._is_first:
            self._is_first, self._head = False, data
            self._loop.call_soon(self._flush)
        else:
            head, self._head = self._head, b""
            self._transport.write(head + data)

    def close(self) -> None:
        """Close it behind what was written."""
        self._flush()
        self._transport.close()

    def is_closing(self) -> bool:
        """Whether it is."""
        return self._transport.is_closing()

    def _flush(self) -> None:
        head, self._head = self._head, b""
        if head and not self._transport.is_closing():
            self._transport.write(head)


class _Exchange(_Together):
    """A request and its answer, past the messages of ASGI: what uvicorn does with these, where nothing is special."""

    __slots__ = ("_cycle", "more")

    def __init__(self, cycle: RequestResponseCycle, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop):
        super().__init__(transport, loop)
        # uvicorn's cycle holds us: if we held it, too, all that belongs to a request would be left to the collector.
        self._cycle = ref(cycle)
        self.more = b""

    def body(self) -> bytes | None:
        """The whole body, if it is here."""
        cycle = self._cycle()
        if cycle is None or cycle.more_body or cycle.disconnected or cycle.waiting_for_100_continue:
            return None
        body, cycle.body = bytes(cycle.body), bytearray()
        return body

    def answer(self, status: int, lines: bytes, body: bytes) -> bool:
        """Write it, and have the next request read; False if the client has to be waited for, or is gone."""
        cycle = self._cycle()
        if cycle is None or cycle.response_started or cycle.disconnected or cycle.flow.write_paused:
            return False
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        self._flush()  # a "100 Continue", if one was asked for, comes before
        end = _END if cycle.keep_alive else _LAST
        self._transport.write(
            b"".join((STATUS_LINE[status], _lines(tuple(cycle.default_headers)), lines, self.more, end, body))
        )
        cycle.message_event.set()
        if not cycle.keep_alive:
            self._transport.close()
        cycle.on_response()
        return True


@lru_cache(maxsize=4)
def _lines(headers: tuple[tuple[bytes, bytes], ...]) -> bytes:
    # The date is one of them, which is another every second.
    return b"".join(b"%b: %b\r\n" % header for header in headers)


class PatientHTTP(HttpToolsProtocol):
    """Closes connections that begin a request and never finish its head, or never finish at all.

    Without this a client that sends a header a minute keeps its connection for as long as it likes, and one that
    sends a single endless header fills our memory. What is not body (the head, the framing of chunks, trailers) may
    take 64 kB until the next head is complete; trailers are not kept. The body's own limits are the application's.
    """

    head_seconds: float = HEAD_SECONDS

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._patience: asyncio.TimerHandle | None = None
        self._in_head = self._progress = self._upgraded = False
        self._idle_bytes = self._body_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """A client came; it should want something soon."""
        super().connection_made(transport)
        self._be_patient()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._be_served()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, and look what came of it."""
        self._progress, self._body_bytes = False, 0
        super().data_received(data)
        if self._upgraded or self.transport.is_closing():
            return
        self._idle_bytes = 0 if self._progress else self._idle_bytes + len(data) - self._body_bytes
        cycle: RequestResponseCycle | None = self.cycle  # none before the first request
        if cycle is None or cycle.response_complete:
            self._be_patient()
        if self._idle_bytes > MAX_HEAD:
            self._cut_off()

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._in_head = True

    def on_headers_complete(self) -> None:
        """The head is whole: from here on the application decides how long to wait."""
        self._in_head, self._progress = False, True
        self._be_served()
        extensions: dict[str, Any] = self.scope.setdefault("extensions", {})
        extensions[ABORT] = self.transport.abort
        super().on_headers_complete()
        self.headers = _Ended(self.headers)
        if self.cycle is not None:
            exchange = _Exchange(self.cycle, self.transport, self.loop)
            # It is as much of a transport as uvicorn asks of one.
            self.cycle.transport, extensions[EXCHANGE] = exchange, exchange  # type: ignore[assignment]

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        self._body_bytes += len(body)
        super().on_body(body)

    def handle_websocket_upgrade(self) -> None:
        """Another protocol takes over."""
        self._upgraded = True
        self._be_served()
        super().handle_websocket_upgrade()

    def _be_patient(self) -> None:
        # The first deadline stands: a byte now and then does not buy more time.
        if self._patience is None:
            self._patience = self.loop.call_later(self.head_seconds, self.transport.close)

    def _be_served(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _cut_off(self) -> None:
        if self._in_head:
            self.transport.write(_TOO_LARGE)
        self.transport.close()
