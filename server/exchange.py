"""A request and its answer as uvicorn has them, taken and given whole."""

import asyncio
from functools import lru_cache
from typing import Final
from weakref import ref

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from server.flow_control import Flow

_END: Final = b"\r\n"
_LAST: Final = b"connection: close\r\n\r\n"


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
        self._end()

    def is_closing(self) -> bool:
        """Whether it is."""
        return self._transport.is_closing()

    def _end(self) -> None:
        self._transport.close()

    def _flush(self) -> None:
        head, self._head = self._head, b""
        if head and not self._transport.is_closing():
            self._transport.write(head)


class HTTPExchange(_Together):
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
            self._end()
        cycle.on_response()
        return True

    def _end(self) -> None:
        cycle = self._cycle()
        if cycle is not None and cycle.more_body and isinstance(cycle.flow, Flow):
            cycle.flow.close_behind_answer(self._loop)
        else:
            super()._end()


@lru_cache(maxsize=4)
def _lines(headers: tuple[tuple[bytes, bytes], ...]) -> bytes:
    # The date is one of them, which is another every second.
    return b"".join(b"%b: %b\r\n" % header for header in headers)
