"""The HTTP/1.1 protocol class for uvicorn: limits, timeouts, host check (RFC 9112, 3.2), single-step exchange."""

import asyncio
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, cast
from weakref import WeakKeyDictionary

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser, parse_url
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from asgi.direct_request import DirectRequest, direct_application, usual_headers
from asgi.exchange import EXCHANGE, HTTPExchange
from asgi.flow_control import CLOSE_SECONDS, Flow
from asgi.socket_writer import ABORT
from asgi.timeouts import TimeoutQueue

MAX_HOST: Final = 300
"""A name has at most 253 characters, and a port has 5."""

_HOST: Final = re.compile(rb"(?:[A-Za-z0-9._~!$&'()*+;=%-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?")

MAX_HEAD: Final = 64 * 1024
HEAD_SECONDS: Final = 10.0
"""Time in which a head must be complete: from the start of the connection, or from the end of the previous request."""
MAX_FIELDS: Final = 128
"""Header fields of a request, the same limit as websockets has for handshakes."""
MAX_PIPELINED: Final = 1_000
"""Requests of one connection that wait for an earlier response; more are not read."""

_keep_alive_timeouts: Final[WeakKeyDictionary[ServerState, TimeoutQueue]] = WeakKeyDictionary()
"""The idle connections of each server, which have the same timeout."""

_INVALID: Final = "Invalid HTTP request received."  # as in uvicorn
_END: Final = b"\r\n"
_TOO_LARGE: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"  # RFC 6585, 5
)


class InvalidHost(ValueError):
    """The message says what to send instead."""


def check_host(version: str, headers: Sequence[tuple[bytes, bytes]]) -> None:
    """Check the `Host` field of a request of this HTTP version; names in *headers* are in lower case.

    The check is stricter than the grammar in one point: a comma is not allowed, so that a list of hosts is refused.

    Raises:
        InvalidHost: there are several, its value is invalid, or an HTTP/1.1 request has none.
    """
    hosts = [value for name, value in headers if name == b"host"]
    if not hosts:
        if version != "1.0":
            raise InvalidHost("An HTTP/1.1 request needs the header Host.")
        return
    if len(hosts) > 1:
        raise InvalidHost("The request has more than one header Host; send one.")
    if len(hosts[0]) > MAX_HOST or not _is_host(hosts[0]):
        raise InvalidHost("The header Host must be a host name or an address, with or without a port.")


@lru_cache(maxsize=64)
def _is_host(value: bytes) -> bool:
    return _HOST.fullmatch(value) is not None


class TooManyFields(Exception):
    """A head has too many fields."""


class _IgnoredTrailers(list[tuple[bytes, bytes]]):
    """The fields of a complete head. Fields that come after the body (trailers) are not kept."""

    def append(self, field: tuple[bytes, bytes]) -> None:
        """Ignore the field."""


async def _send_bad_request(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request whose body cannot be read, in the order of the requests."""
    fields = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(_INVALID))]
    await send({"type": "http.response.start", "status": 400, "headers": [*fields, (b"connection", b"close")]})
    await send({"type": "http.response.body", "body": _INVALID.encode("ascii")})


class HTTPProtocol(HttpToolsProtocol):
    """Closes connections that do not finish a request head in time, or send too much.

    Without these limits, a client that sends one header per minute would keep its connection forever, and an endless
    header would fill the memory. Everything that is not body (head, chunk framing, trailers) may have 64 kB until the
    next head is complete. The application limits the body.

    Responses come in the order of the requests, also when the last request is invalid. An upgrade to an unsupported
    protocol is ignored, as RFC 9110, 7.8, allows: the request with its body is served normally.
    """

    head_seconds: float = HEAD_SECONDS

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._head_timer: asyncio.TimerHandle | None = None
        self._in_head = self._made_progress = self._is_websocket = False
        self._idle_bytes = self._body_bytes = 0
        self._direct = direct_application(self.app) if self.limit_concurrency is None and not self.root_path else None
        self._direct_headers: dict[bytes, bytes] | None = None
        """Not None while the body of a request that may be answered directly arrives."""
        self._direct_body = b""
        self._keep_alive = _keep_alive_timeouts.setdefault(self.server_state, TimeoutQueue(self.timeout_keep_alive))

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Start the timer for the first request."""
        super().connection_made(transport)
        self.flow: Flow = Flow(transport, self.pipeline)
        self._start_head_timer()

    def shutdown(self) -> None:
        """Close the connection after its responses. An idle one is aborted if its client reads nothing."""
        super().shutdown()
        if self._is_idle:
            self.loop.call_later(CLOSE_SECONDS, self.transport.abort)

    def on_timeout(self) -> None:
        """Close an idle connection, unless it is closing already and the client still reads its last response."""
        if not self.flow.is_discarding:
            self.timeout_keep_alive_handler()

    def on_response_complete(self) -> None:
        """Continue with the next request, as uvicorn does, but with one timer for all idle connections."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        else:
            self._keep_alive.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Release everything that belongs to the connection."""
        self._stop_head_timer()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)
        self.pipeline.clear()  # waiting requests hold a reference to this object

    def data_received(self, data: bytes) -> None:
        """Parse the data, and check the limits."""
        if self.flow.is_discarding:
            return
        self._made_progress, self._body_bytes = False, 0
        self._unset_keepalive_if_required()
        self._read(data)
        if self._is_websocket or self.transport.is_closing():
            return
        self._idle_bytes = 0 if self._made_progress else self._idle_bytes + len(data) - self._body_bytes
        if self._is_idle:
            self._start_head_timer()
        if self._idle_bytes > MAX_HEAD:
            self._reject_head()

    def on_message_begin(self) -> None:
        """A head starts."""
        if len(self.pipeline) >= MAX_PIPELINED:
            raise OverflowError
        self.url, self.headers, self.expect_100_continue = b"", [], False
        self._in_head = True

    def on_headers_complete(self) -> None:
        """The head is complete: from now on the application sets the time limits."""
        if len(self.headers) > MAX_FIELDS:
            raise TooManyFields
        check_host(self.parser.get_http_version(), self.headers)
        if self.parser.get_method() != b"CONNECT":
            self.url = with_path(self.url)
        self._in_head, self._made_progress = False, True
        self._stop_head_timer()
        if self._may_be_direct:
            self._direct_headers, self._direct_body = usual_headers(self.headers), b""
        if self._direct_headers is None:
            self._begin_cycle()

    def on_body(self, body: bytes) -> None:
        """A part of the body arrived."""
        self._body_bytes += len(body)
        if self._direct_headers is None:
            super().on_body(body)
        else:
            self._direct_body += body

    def on_message_complete(self) -> None:
        """The request is complete."""
        if self._direct_headers is None:
            super().on_message_complete()
        elif not self._begin_directly(self._direct_headers):
            self._begin_with_body()
            super().on_message_complete()

    @property
    def _may_be_direct(self) -> bool:
        """Whether the request may be answered without ASGI layers, judged by its first line and the connection."""
        direct, parser = self._direct, self.parser
        return (
            direct is not None
            and self.url == direct.direct_path
            and parser.get_method() == b"POST"
            and parser.get_http_version() == "1.1"
            and parser.should_keep_alive()
            and not parser.should_upgrade()
            and self._is_idle
        )

    def _begin_directly(self, headers: dict[bytes, bytes]) -> bool:
        """Begin to answer a complete request without ASGI layers. False, without effect, if that is not possible."""
        direct = self._direct
        assert direct is not None
        request = DirectRequest(self, direct.direct_path, headers)
        app: Any = direct.direct_app(request, self._direct_body)
        if app is None:
            return False
        self._direct_headers, self._direct_body, self.cycle = None, b"", request
        self._start_asgi_task(request, app)
        return True

    def _begin_with_body(self) -> None:
        """Begin to answer a request whose body was kept for a direct answer, as far as it has arrived."""
        body = self._direct_body
        self._direct_headers, self._direct_body = None, b""
        self._begin_cycle()
        if body:
            super().on_body(body)

    def _begin_cycle(self) -> None:
        """Begin to answer a request, as uvicorn does."""
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.headers, self.expect_100_continue, self.scope["headers"] = url, headers, expects, headers
        extensions: dict[str, Any] = self.scope.setdefault("extensions", {})
        extensions[ABORT] = self.transport.abort
        super().on_headers_complete()
        self.headers = _IgnoredTrailers(self.headers)
        if not self.parser.should_upgrade():
            exchange = HTTPExchange(self.cycle, self.transport, self.loop)
            extensions[EXCHANGE] = exchange
            self.cycle.transport = exchange  # type: ignore[assignment]  # it has the methods that uvicorn uses

    def send_400_response(self, msg: str) -> None:
        """Report an invalid request, but not before or within the response to an earlier one.

        The error may be in the body of the last request, or in the data after it. Then the response to that request is
        the last one, and its "connection: close" tells the client that nothing else was read.
        """
        cycle = self.cycle
        if self._is_idle or (cycle.more_body and not self.pipeline and not cycle.response_started):
            super().send_400_response(msg)
            return
        self.flow.discard_input()
        cycle.keep_alive = False
        if not cycle.more_body:
            return
        if self.pipeline:
            self.pipeline[0] = (cycle, _send_bad_request)  # type: ignore[assignment]  # uvicorn has its own types
        else:
            self.transport.close()

    def _unset_keepalive_if_required(self) -> None:
        self._keep_alive.remove(self)

    @property
    def _is_idle(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle  # None before the first request
        return cycle is None or cycle.response_complete

    @property
    def _is_handshake(self) -> bool:
        # An upgrade in HTTP/1.0 is ignored (RFC 9110, 7.8), and a handshake is a GET (RFC 6455, 4.1).
        scope = self.scope
        return scope["method"] == "GET" and scope["http_version"] == "1.1" and self._get_upgrade() == b"websocket"

    def _get_upgrade(self) -> bytes | None:
        # Several lines of a field form one list (RFC 9110, 5.3); uvicorn reads the last one only.
        options = b",".join(value for name, value in self.headers if name == b"connection").lower().split(b",")
        if b"upgrade" not in (option.strip() for option in options):
            return None
        return b",".join(value for name, value in self.headers if name == b"upgrade").strip().lower()

    def _should_upgrade(self) -> bool:
        # Called while the parser reads a request with an upgrade, whose body it skips: `_read` handles that.
        return True

    def _read(self, data: bytes) -> None:
        rest: bytes | None = data
        try:
            while rest is not None:
                rest = self._read_until_upgrade(rest)
            if self._direct_headers is not None:
                self._begin_with_body()  # its rest may take long
        except HttpParserError as error:
            self._handle_parse_error(error.__context__)  # the exception that a callback raised

    def _handle_parse_error(self, error: BaseException | None) -> None:
        if isinstance(error, TooManyFields):
            self._reject_head()
            return
        message = str(error) if isinstance(error, InvalidHost) else _INVALID
        self.logger.warning(message)
        self.send_400_response(message)

    def _read_until_upgrade(self, data: bytes) -> bytes | None:
        """Parse to the end, or to an upgrade that is not supported: then return the data after it."""
        try:
            self.parser.feed_data(data)
        except HttpParserUpgrade as upgrade:
            if self.scope["method"] == "CONNECT":
                raise HttpParserError from None
            rest = data[upgrade.args[0] :]
            if not self._is_idle or not self._is_handshake:
                self._parse_head_again()
                return rest
            self._switch_to_websocket(rest)
        return None

    def _switch_to_websocket(self, rest: bytes) -> None:
        """Switch the connection to the WebSocket protocol; *rest* is the data after the head of the handshake."""
        target = parse_url(self.url)  # the target may be a whole URL
        self.url = b"%b?%b" % (target.path, target.query) if target.query else target.path
        self._is_websocket = True
        self._stop_head_timer()
        try:
            self.handle_websocket_upgrade()
        except Exception:
            self.logger.exception("the connection could not be switched to WebSocket")
            self._discard_connection()
            return
        protocol = self.transport.get_protocol()
        if not isinstance(protocol, asyncio.Protocol):
            return
        if self.flow.write_paused:
            protocol.pause_writing()  # earlier responses are not read yet, and the transport reports that only once
        del self.parser  # it refers back to this object, which nothing else needs any more
        if rest:
            protocol.data_received(rest)

    def _discard_connection(self) -> None:
        """Abort a connection that has no protocol. A shutdown would wait for it if it stayed in the set."""
        for each in [each for each in self.connections if each.transport is self.transport]:
            self.connections.discard(each)
        self.transport.abort()

    def _parse_head_again(self) -> None:
        """Parse the head without its upgrade in a new parser: the old one treats what follows as another protocol."""
        self.parser = HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as in uvicorn
        line = b"%b %b HTTP/%b\r\n" % (self.scope["method"].encode(), self.url, self.scope["http_version"].encode())
        fields = (b"%b: %b\r\n" % field for field in self.scope["headers"] if field[0] != b"upgrade")
        self.parser.feed_data(b"".join((line, *fields, _END)))

    def _start_head_timer(self) -> None:
        # The first deadline counts: sending a byte now and then does not extend it.
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(self.head_seconds, self.transport.close)

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _reject_head(self) -> None:
        if not self._is_idle:
            self.send_400_response(_INVALID)
            return
        if self._in_head:
            self.transport.write(_TOO_LARGE)
        self.flow.close_after_response(self.loop)


def with_path(target: bytes) -> bytes:
    """The target of a request; a URI in absolute form without a path gets the path "/" (RFC 9110, 4.2.3).

    Raises:
        HttpParserInvalidURLError: it is neither a path nor a URI.
    """
    if target.startswith(b"/"):
        return target
    path = cast("bytes | None", parse_url(target).path)  # its type hints do not say that it may be None
    if path is not None:
        return target
    before, question_mark, query = target.partition(b"?")
    return b"".join((before, b"/", question_mark, query))
