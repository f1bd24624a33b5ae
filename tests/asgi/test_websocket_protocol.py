"""Outgoing frames: whole text messages, grouped by loop iteration, and nothing after a close."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.streams import StreamReader

from asgi.websocket_handshake import STREAM_ORIGIN_NOT_ALLOWED, reject_handshake
from asgi.websocket_protocol import MAX_FRAMES, WebSocketProtocol, text_frame
from tests.graphql_api.fuzzing_client import Loud
from tests.support.serving import serving
from tests.support.waiting import HANG_SECONDS


def frames_in(data: bytes) -> list[Frame]:
    """The frames that a client reads."""
    reader, found = StreamReader(), list[Frame]()
    reader.feed_data(data)
    reader.feed_eof()
    while not _finished(reader):
        parsing = Frame.parse(reader.read_exact, mask=False)
        try:
            next(parsing)
        except StopIteration as done:
            found.append(done.value)
    return found


def _finished(reader: StreamReader) -> bool:
    at_eof = reader.at_eof()
    try:
        next(at_eof)
    except StopIteration as done:
        return bool(done.value)
    return False


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 70_000])
def test_a_client_can_read_every_frame(size: int):
    """At every length that changes the form of a frame's head, a client's parser finds the text."""
    text = ("é" * size).encode()[:size] if size % 2 == 0 else b"x" * size

    (frame,) = frames_in(text_frame(text))

    assert (frame.opcode, bytes(frame.data), frame.fin) == (Opcode.TEXT, text, True)


class Wire:
    """A transport that remembers what was written, write by write."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.closing = False

    def abort(self) -> None:
        """Record the abort."""
        self.closing = True

    def write(self, data: bytes) -> None:
        """Remember it."""
        self.written.append(data)

    def is_closing(self) -> bool:
        """Whether it was closed."""
        return self.closing


class Loop:
    """A loop whose next iteration runs when it is called."""

    def __init__(self) -> None:
        self.soon: list[Any] = []

    def call_soon(self, callback: Any) -> None:
        """In the next round."""
        self.soon.append(callback)

    def go_round(self) -> None:
        """Let it come."""
        soon, self.soon = self.soon, []
        for callback in soon:
            callback()


@pytest.fixture
def socket() -> WebSocketProtocol:
    """A socket after its handshake."""
    made = object.__new__(WebSocketProtocol)
    made._frames = []
    made.loop = Loop()  # type: ignore[assignment]
    made.transport = Wire()  # type: ignore[assignment]
    made.handshake_complete, made.disconnected, made.close_sent = True, False, False
    made.conn = _Conn()  # type: ignore[assignment]
    made.initial_response = None
    made.writable = _Set()  # type: ignore[assignment]
    return made


class _Conn:
    state = State.OPEN

    def data_to_send(self) -> list[bytes]:
        """A pong, which is due whenever this is asked here."""
        return [b"pong"]


class _Set:
    def __init__(self) -> None:
        self.value = True

    def is_set(self) -> bool:
        return self.value


async def say(socket: WebSocketProtocol, *texts: str) -> None:
    """Send texts as the application does."""
    for text in texts:
        await socket.send({"type": "websocket.send", "text": text})


def read(data: bytes) -> list[str]:
    """The texts in what was written."""
    return [bytes(frame.data).decode() for frame in frames_in(data)]


async def test_frames_of_one_iteration_are_one_write(socket: Any):
    """In order; frames of the next iteration are another write."""
    await say(socket, "one", "two", "three")
    assert socket.transport.written == []
    socket.loop.go_round()
    await say(socket, "four")
    socket.loop.go_round()

    assert [read(data) for data in socket.transport.written] == [["one", "two", "three"], ["four"]]


async def test_the_size_of_a_write_is_bounded(socket: Any):
    """A large number of frames is not buffered."""
    await say(socket, *(str(number) for number in range(MAX_FRAMES + 1)))

    assert [len(read(data)) for data in socket.transport.written] == [MAX_FRAMES]


async def test_frames_older_than_a_lease_are_not_sent(socket: Any):
    """Rights may have changed: the connection is closed."""
    await say(socket, "for those who might see it then")
    socket._queued_at -= HANG_SECONDS
    socket.loop.go_round()

    assert (socket.transport.written, socket.transport.closing) == ([], True)


@pytest.mark.parametrize("state", [State.CLOSING, State.CLOSED])
async def test_nothing_follows_a_close(socket: Any, state: State):
    """Unwritten frames are dropped when the peer closes (RFC 6455, 5.5.1)."""
    await say(socket, "too late")
    socket.conn.state = state
    socket.loop.go_round()

    assert socket.transport.written == []


def test_unread_pongs_are_bounded(socket: WebSocketProtocol):
    """Pings are answered again once the client reads."""
    socket.handle_ping()
    socket.writable.value = False  # type: ignore[attr-defined]
    socket.handle_ping()
    assert socket.transport.written == [b"pong"]  # type: ignore[attr-defined]
    socket.writable.value = True  # type: ignore[attr-defined]
    socket.handle_ping()
    assert socket.transport.written == [b"pong"] * 2  # type: ignore[attr-defined]


def test_a_pong_and_a_close_are_sent_together(socket: WebSocketProtocol):
    """For a ping and a close frame that arrive together."""
    socket.writable.value = False  # type: ignore[attr-defined]
    socket.conn.state = State.CLOSING
    socket.handle_ping()
    assert socket.transport.written == [b"pong"]  # type: ignore[attr-defined]


def test_empty_fragments_are_not_buffered(socket: WebSocketProtocol):
    """A message of many empty fragments takes no memory, and is complete at the end."""
    received: list[bytes] = []
    socket.frames = [b"a"]
    socket.send_receive_event_to_app = lambda: received.append(b"".join(socket.frames))  # type: ignore[method-assign]
    for _ in range(100):
        socket.handle_cont(Frame(Opcode.CONT, b"", fin=False))
    assert socket.frames == [b"a"]
    socket.handle_cont(Frame(Opcode.CONT, b"b", fin=False))
    socket.handle_cont(Frame(Opcode.CONT, b"", fin=True))
    assert received == [b"ab"]


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await reject_handshake(scope, send, 403, STREAM_ORIGIN_NOT_ALLOWED)


async def _accept(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    while (await receive())["type"] != "websocket.disconnect":
        pass


@asynccontextmanager
async def _outsider(app: ASGIApp) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A client that requests a socket; uvicorn logs nothing about it."""
    head = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    loud, log = Loud(), logging.getLogger("uvicorn.error")
    async with serving(app) as url:
        log.addHandler(loud)
        log.setLevel(logging.ERROR)
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
            writer.write(head + b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
            async with asyncio.timeout(HANG_SECONDS):
                yield reader, writer
            writer.close()
        finally:
            log.removeHandler(loud)
    assert [record.getMessage() for record in loud.records] == []


async def test_a_refused_handshake_is_no_server_error():
    """It logs no error, and the client gets the reason."""
    async with _outsider(_refuse) as (reader, _):
        answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 403")
    assert STREAM_ORIGIN_NOT_ALLOWED.encode() in answer


async def test_invalid_utf8_is_no_server_error():
    """It is closed with 1007 (RFC 6455, 8.1), also in fragments."""
    async with _outsider(_accept) as (reader, writer):
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
        writer.write(_masked(0x01, "é".encode()[:1]) + _masked(0x80, b"!"))
        [farewell] = frames_in(await reader.read())
    assert (farewell.opcode, bytes(farewell.data)) == (Opcode.CLOSE, b"\x03\xef")


def _masked(head: int, data: bytes) -> bytes:
    return bytes((head, 0x80 | len(data), 0, 0, 0, 0)) + data
