"""The HTTP/1.1 protocol class for uvicorn: limits, timeouts, host check (RFC 9112, 3.2), exchange in one step."""

import asyncio
import re
from collections.abc import Sequence
from typing import Any, Final

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser, parse_url
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from asgi.exchange import EXCHANGE
from asgi.socket_writer import ABORT
from server.exchange import HTTPExchange
from server.flow_control import CLOSE_SECONDS, Flow
from server.request_target import with_path

MAX_HOST: Final = 300
"""A name has at most 253 characters, and a port 5."""

_HOST: Final = re.compile(rb"(?:[A-Za-z0-9._~!$&'()*+;=%-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?")

MAX_HEAD: Final = 64 * 1024
HEAD_SECONDS: Final = 10.0
"""From the connection, or from the first byte behind the last request, until a head must be complete."""
MAX_FIELDS: Final = 128
"""Header fields of a request, as websockets has it for handshakes: several parts look through all of them."""
MAX_WAITING: Final = 1_000
"""Requests of one connection that wait for the answer to the one before them; those behind are not read."""

_INVALID: Final = "Invalid HTTP request received."  # as uvicorn has it
_END: Final = b"\r\n"
_TOO_LARGE: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"  # RFC 6585, 5
)


class InvalidHost(ValueError):
    """The message says what to send instead."""


def check_host(version: str, headers: Sequence[tuple[bytes, bytes]]) -> None:
    """Check the field of a request of this HTTP version; names of *headers* are in lower case.

    Stricter than the grammar in one point: a name holds no comma, so that a list of hosts is refused.

    Raises:
        InvalidHost: there are several, its value is none, or a request of HTTP/1.1 has none.
    """
    hosts = [value for name, value in headers if name == b"host"]
    if not hosts:
        if version != "1.0":
            raise InvalidHost("A request of HTTP/1.1 needs the header field Host.")
        return
    if len(hosts) > 1:
        raise InvalidHost("A request has one header field Host, and this one has several.")
    if len(hosts[0]) > MAX_HOST or _HOST.fullmatch(hosts[0]) is None:
        raise InvalidHost("The header field Host must be a host name or an address, with or without a port.")


class TooManyFields(Exception):
    """A head has more fields than are read."""


class _Ended(list[tuple[bytes, bytes]]):
    """The fields of a head that has ended: those that come behind a body, trailers, are not kept."""

    def append(self, field: tuple[bytes, bytes]) -> None:
        """Drop it."""


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request whose body cannot be read, in its turn."""
    fields = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(_INVALID))]
    await send({"type": "http.response.start", "status": 400, "headers": [*fields, (b"connection", b"close")]})
    await send({"type": "http.response.body", "body": _INVALID.encode("ascii")})


class HTTPProtocol(HttpToolsProtocol):
    """Closes connections that begin a request and never finish its head, or never finish at all.

    Without this a client that sends a header a minute keeps its connection for as long as it likes, and one that
    sends a single endless header fills our memory. What is not body (the head, the framing of chunks, trailers) may
    take 64 kB until the next head is complete; trailers are not kept. The body's own limits are the application's.

    Answers come in the order of their requests, whatever is wrong with the last one, and an offer of another protocol
    that we do not take is passed over, as RFC 9110, 7.8, allows: the request with its body is served as it is.
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
        self.flow: Flow = Flow(transport, self.pipeline)
        self._be_patient()

    def shutdown(self) -> None:
        """Close the connection, when its requests are answered; an idle one whose client reads nothing is aborted."""
        super().shutdown()
        if self._is_idle:
            self.loop.call_later(CLOSE_SECONDS, self.transport.abort)

    def timeout_keep_alive_handler(self) -> None:
        """The client sends no further request in time; one that is to read its last answer has a time of its own."""
        if not self.flow.is_over:
            super().timeout_keep_alive_handler()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._be_served()
        super().connection_lost(exc)
        self.pipeline.clear()  # nobody serves them any more, and each of them holds us

    def data_received(self, data: bytes) -> None:
        """Read on, and look what came of it."""
        if self.flow.is_over:
            return
        self._progress, self._body_bytes = False, 0
        self._unset_keepalive_if_required()
        self._read(data)
        if self._upgraded or self.transport.is_closing():
            return
        self._idle_bytes = 0 if self._progress else self._idle_bytes + len(data) - self._body_bytes
        if self._is_idle:
            self._be_patient()
        if self._idle_bytes > MAX_HEAD:
            self._cut_off()

    def on_message_begin(self) -> None:
        """A head begins."""
        if len(self.pipeline) >= MAX_WAITING:
            raise OverflowError
        super().on_message_begin()
        self._in_head = True

    def on_headers_complete(self) -> None:
        """The head is whole: from here on the application decides how long to wait."""
        if len(self.headers) > MAX_FIELDS:
            raise TooManyFields
        check_host(self.parser.get_http_version(), self.headers)
        if self.parser.get_method() != b"CONNECT":
            self.url = with_path(self.url)
        self._in_head, self._progress = False, True
        self._be_served()
        extensions: dict[str, Any] = self.scope.setdefault("extensions", {})
        extensions[ABORT] = self.transport.abort
        super().on_headers_complete()
        self.headers = _Ended(self.headers)
        if not self.parser.should_upgrade():
            exchange = HTTPExchange(self.cycle, self.transport, self.loop)
            extensions[EXCHANGE] = exchange
            self.cycle.transport = exchange  # type: ignore[assignment]  # it is as much of one as uvicorn asks for

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        self._body_bytes += len(body)
        super().on_body(body)

    def send_400_response(self, msg: str) -> None:
        """Say that a request cannot be read, but not before, or in, the answer to another one.

        What is wrong may be the body of the last request, or what comes behind it: then that is the last answer, and
        its "connection: close" says that nothing else was read.
        """
        cycle = self.cycle
        if self._is_idle or (cycle.more_body and not self.pipeline and not cycle.response_started):
            super().send_400_response(msg)
            return
        self.flow.read_to_drop()
        cycle.keep_alive = False
        if not cycle.more_body:
            return
        if self.pipeline:
            self.pipeline[0] = (cycle, _refuse)  # type: ignore[assignment]  # uvicorn has types of its own
        else:
            self.transport.close()

    @property
    def _is_idle(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle  # none before the first request
        return cycle is None or cycle.response_complete

    @property
    def _is_handshake(self) -> bool:
        # In HTTP/1.0 an offer does not count (RFC 9110, 7.8), and a handshake is a GET (RFC 6455, 4.1).
        scope = self.scope
        return scope["method"] == "GET" and scope["http_version"] == "1.1" and self._get_upgrade() == b"websocket"

    def _get_upgrade(self) -> bytes | None:
        # Several lines of a field are one list (RFC 9110, 5.3); uvicorn looks at the last one.
        options = b",".join(value for name, value in self.headers if name == b"connection").lower().split(b",")
        if b"upgrade" not in (option.strip() for option in options):
            return None
        return b",".join(value for name, value in self.headers if name == b"upgrade").strip().lower()

    def _should_upgrade(self) -> bool:
        # Asked while a request that offers to is parsed, whose body is left out: `_read` sees to it.
        return True

    def _read(self, data: bytes) -> None:
        rest: bytes | None = data
        try:
            while rest is not None:
                rest = self._read_to_offer(rest)
        except HttpParserError as error:
            self._refuse_head(error.__context__)  # which is what a callback raised

    def _refuse_head(self, cause: BaseException | None) -> None:
        if isinstance(cause, TooManyFields):
            self._cut_off()
            return
        why = str(cause) if isinstance(cause, InvalidHost) else _INVALID
        self.logger.warning(why)
        self.send_400_response(why)

    def _read_to_offer(self, data: bytes) -> bytes | None:
        """Read on, to the end or to where another protocol was offered that we do not take: then it is what follows."""
        try:
            self.parser.feed_data(data)
        except HttpParserUpgrade as offer:
            if self.scope["method"] == "CONNECT":
                raise HttpParserError from None
            rest = data[offer.args[0] :]
            if not self._is_idle or not self._is_handshake:
                self._read_head_again()
                return rest
            self._hand_over(rest)
        return None

    def _hand_over(self, rest: bytes) -> None:
        """Have the connection speak WebSocket from here on; *rest* is what came behind the handshake's head."""
        target = parse_url(self.url)  # which may be a whole URL
        self.url = b"%b?%b" % (target.path, target.query) if target.query else target.path
        self._upgraded = True
        self._be_served()
        try:
            self.handle_websocket_upgrade()
        except Exception:
            self.logger.exception("a WebSocket handshake could not be handed over")
            self._drop()
            return
        protocol = self.transport.get_protocol()
        if not isinstance(protocol, asyncio.Protocol):
            return
        if self.flow.write_paused:
            protocol.pause_writing()  # earlier answers were not read yet, which the transport tells once
        if rest:
            protocol.data_received(rest)

    def _drop(self) -> None:
        """End a connection that no protocol has: a shutdown would wait for one that is left in the set."""
        for each in [each for each in self.connections if each.transport is self.transport]:
            self.connections.discard(each)
        self.transport.abort()

    def _read_head_again(self) -> None:
        """Without its offer, by a new parser: the former one would take what follows for another protocol's."""
        self.parser = HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn has it
        line = b"%b %b HTTP/%b\r\n" % (self.scope["method"].encode(), self.url, self.scope["http_version"].encode())
        fields = (b"%b: %b\r\n" % field for field in self.scope["headers"] if field[0] != b"upgrade")
        self.parser.feed_data(b"".join((line, *fields, _END)))

    def _be_patient(self) -> None:
        # The first deadline stands: a byte now and then does not buy more time.
        if self._patience is None:
            self._patience = self.loop.call_later(self.head_seconds, self.transport.close)

    def _be_served(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _cut_off(self) -> None:
        if not self._is_idle:
            self.send_400_response(_INVALID)
            return
        if self._in_head:
            self.transport.write(_TOO_LARGE)
        self.flow.close_behind_answer(self.loop)
