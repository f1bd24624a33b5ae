"""Every connection ends, whatever it sends, and none delays the shutdown."""

import asyncio
import json
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import pytest

from tests.e2e.conftest import Serve
from tests.support.processes import Served

PATIENCE = 60.0
"""Seconds, as every wait must end; the server's own limits are at 10 seconds and below."""
KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
PING = b"\x89\x80\0\0\0\0"
CLOSE = b"\x88\x80\0\0\0\0"
INVALID_TEXT = b"\x81\x81\0\0\0\0\xff"

Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True)
class Handshake:
    """The parts of a WebSocket handshake; each can be replaced."""

    method: bytes = b"GET"
    target: bytes = b"/graphql"
    version: bytes = b"HTTP/1.1"
    host: tuple[bytes, ...] = (b"Host: a",)
    connection: tuple[bytes, ...] = (b"Connection: Upgrade",)
    upgrade: tuple[bytes, ...] = (b"Upgrade: websocket",)
    key: tuple[bytes, ...] = (b"Sec-WebSocket-Key: " + KEY,)
    number: tuple[bytes, ...] = (b"Sec-WebSocket-Version: 13",)
    protocol: tuple[bytes, ...] = (b"Sec-WebSocket-Protocol: graphql-transport-ws",)
    more: tuple[bytes, ...] = ()
    before: bytes = b""
    behind: bytes = b""

    @property
    def data(self) -> bytes:
        """The bytes of the handshake."""
        line = b" ".join((self.method, self.target, self.version))
        fields = (
            *self.host, *self.connection, *self.upgrade, *self.key, *self.number, *self.protocol, *self.more,
        )  # fmt: skip
        return self.before + b"\r\n".join((line, *fields, b"", b"")) + self.behind


HEALTH = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
HANDSHAKES: dict[str, tuple[Handshake, str]] = {
    "in order": (Handshake(), "101"),
    "an empty body": (Handshake(more=(b"Content-Length: 0",)), "101"),
    "a body is announced": (Handshake(more=(b"Content-Length: 1",)), "400"),
    "a body": (Handshake(more=(b"Content-Length: 4",), behind=b"body"), "400"),
    "a body in chunks": (Handshake(more=(b"Transfer-Encoding: chunked",), behind=b"0\r\n\r\n"), "400"),
    "two lengths": (Handshake(more=(b"Content-Length: 0", b"Content-Length: 0")), "400"),
    "a large cookie": (Handshake(more=(b"Cookie: a=" + b"b" * 9_000,)), "431"),
    "many header fields": (Handshake(more=(b"x: y",) * 200), "431"),
    "more than is kept": (Handshake(more=(b"x: " + b"y" * 1_000,) * 70), "101|431"),
    "a long target": (Handshake(target=b"/graphql?" + b"a" * 9_000), "414"),
    "NUL": (Handshake(more=(b"x: \0",)), "400"),
    "Latin-1": (Handshake(more=(b"x: \xe4",)), "101"),
    "an odd name": (Handshake(more=(b"x(y: z",)), "400"),
    "a folded line": (Handshake(more=(b"x: y", b" z")), "101|400"),
    "POST": (Handshake(method=b"POST"), "415"),
    "HEAD": (Handshake(method=b"HEAD"), "400"),
    "OPTIONS": (Handshake(method=b"OPTIONS"), "204"),
    "BREW": (Handshake(method=b"BREW"), "400"),
    "HTTP/1.0": (Handshake(version=b"HTTP/1.0"), "400"),
    "HTTP/2.0": (Handshake(version=b"HTTP/2.0"), "400"),
    "HTTP/9": (Handshake(version=b"HTTP/9"), "400"),
    "no Host": (Handshake(host=()), "400"),
    "two Hosts": (Handshake(host=(b"Host: a", b"Host: a")), "400"),
    "a list of Hosts": (Handshake(host=(b"Host: a, b",)), "400"),
    "no Connection": (Handshake(connection=()), "400"),
    "Connection in two lines": (Handshake(connection=(b"Connection: keep-alive", b"Connection: Upgrade")), "101"),
    "Connection the other way": (Handshake(connection=(b"Connection: Upgrade", b"Connection: keep-alive")), "101"),
    "no Upgrade": (Handshake(upgrade=()), "400"),
    "two Upgrades": (Handshake(upgrade=(b"Upgrade: websocket", b"Upgrade: websocket")), "400"),
    "another protocol": (Handshake(upgrade=(b"Upgrade: h2c",)), "400"),
    "capitals": (Handshake(upgrade=(b"Upgrade: WebSocket",)), "101"),
    "no key": (Handshake(key=()), "400"),
    "a short key": (Handshake(key=(b"Sec-WebSocket-Key: AA==",)), "400"),
    "a broken key": (Handshake(key=(b"Sec-WebSocket-Key: $",)), "400"),
    "two keys": (Handshake(key=(b"Sec-WebSocket-Key: " + KEY,) * 2), "400"),
    "no version": (Handshake(number=()), "400"),
    "an old version": (Handshake(number=(b"Sec-WebSocket-Version: 8",)), "400"),
    "two versions": (Handshake(number=(b"Sec-WebSocket-Version: 13",) * 2), "400"),
    "no subprotocol": (Handshake(protocol=()), "101"),
    "another subprotocol": (Handshake(protocol=(b"Sec-WebSocket-Protocol: mqtt",)), "101"),
    "a broken subprotocol": (Handshake(protocol=(b"Sec-WebSocket-Protocol: ;",)), "400"),
    "another origin": (Handshake(more=(b"Origin: https://evil.example",)), "403"),
    "two origins": (Handshake(more=(b"Origin: http://a", b"Origin: http://a")), "400"),
    "nowhere": (Handshake(target=b"/nowhere"), "404"),
    "the older socket": (Handshake(target=b"/ws/tasks/b9a7c1de-0000-4000-8000-000000000000", protocol=()), "101"),
    "a whole URL": (Handshake(target=b"http://a/graphql"), "101"),
    "a whole URL without a path": (Handshake(target=b"http://a"), "404"),
    "a whole URL with a query alone": (Handshake(target=b"http://a?x=1"), "404"),
    "a whole URL without a host": (Handshake(target=b"http:///graphql"), "400"),
    "an asterisk": (Handshake(target=b"*"), "400|404"),
    "a ping behind it": (Handshake(behind=PING), "101"),
    "a close behind it": (Handshake(behind=CLOSE), "101"),
    "garbage behind it": (Handshake(behind=b"\xff" * 100), "101"),
    "text that is none behind it": (Handshake(behind=INVALID_TEXT + CLOSE), "101"),
    "much behind it": (Handshake(behind=b"\x81\xfe\xff\xff" + bytes(70_000)), "101"),
    "a request before it": (Handshake(before=HEALTH), "200"),
    "requests before it": (Handshake(before=HEALTH * 50), "200"),
    "twice": (Handshake(behind=Handshake().data), "101"),
}
"""The input, and the status of the first response."""


@pytest.fixture(scope="module")
async def server(serve: Serve) -> AsyncIterator[Served]:
    """A server for all connections; none of them may cause an error in its log."""
    server = await serve().ready()
    yield server
    assert errors(server) == []


@asynccontextmanager
async def line(server: Served) -> AsyncIterator[Line]:
    """A connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        async with asyncio.timeout(PATIENCE):
            yield reader, writer
    finally:
        writer.close()


async def ending(server: Served, data: bytes, *, piece: int = 0, half_closed: bool = False) -> bytes:
    """The response, until the server closes the connection."""
    async with line(server) as (reader, writer):
        try:
            for start in range(0, len(data), piece or len(data) or 1):
                writer.write(data[start : start + (piece or len(data))])
                await writer.drain()
                await asyncio.sleep(0)
            if half_closed:
                writer.write_eof()
            return await reader.read()
        except ConnectionError:
            return b""


def status(answer: bytes) -> str:
    """The status of the first response."""
    return answer[9:12].decode() if answer.startswith(b"HTTP/1.1 ") else "closed"


@pytest.mark.parametrize("piece", [0, 40], ids=["at once", "in pieces"])
async def test_every_handshake_is_answered_or_closed(server: Served, piece: int):
    """The status says what is wrong, and the connection ends whatever follows."""
    cases = HANDSHAKES.items()
    answers = await asyncio.gather(*(ending(server, handshake.data, piece=piece) for _, (handshake, _) in cases))
    found = {name: status(answer) for (name, _), answer in zip(cases, answers, strict=True)}
    # A client that still sends when it is refused may lose the answer.
    allowed = {name: {*statuses.split("|"), *(["closed"] if piece else [])} for name, (_, statuses) in cases}
    assert {name: each for name, each in found.items() if each not in allowed[name]} == {}


@pytest.mark.parametrize("half_closed", [False, True], ids=["open", "half-closed"])
async def test_a_connection_that_stops_anywhere_ends(server: Served, half_closed: bool):
    """After nothing, a partial head, a head without its body, a response, or a handshake."""
    data = Handshake(before=HEALTH).data
    body = b"POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    begun = [data[:size] for size in range(0, len(data), 17)] + [body, body[:-3], HEALTH]
    await asyncio.gather(*(ending(server, each, half_closed=half_closed) for each in begun))


async def test_a_reset_at_any_byte_frees_the_connection(server: Served):
    """In the handshake or right after it; the server serves other connections."""
    data = Handshake(behind=PING).data
    for size in range(0, len(data) + 1, 5):
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(data[:size])
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    assert status(await ending(server, HEALTH)) == "200"


def errors(server: Served) -> list[str]:
    """The lines of its log with unexpected errors."""
    return [text for text in server.err.splitlines() if "Traceback" in text or '"level":"error"' in text]


@dataclass
class Opened:
    """A server, and its open connections at the time of the shutdown."""

    server: Served
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def line(self, data: bytes, until: bytes = b"") -> Line:
        """A connection with this input, after this output."""
        reader, writer = await self.stack.enter_async_context(line(self.server))
        writer.write(data)
        await writer.drain()
        if until:
            await reader.readuntil(until)
        return reader, writer


Open = Callable[[Opened], Awaitable[object]]


def handshakes(*names: str) -> Open:
    """All handshakes of the table."""

    async def begin(opened: Opened) -> None:
        await asyncio.gather(*(opened.line(HANDSHAKES[name][0].data) for name in names or HANDSHAKES))

    return begin


async def unread(opened: Opened) -> None:
    """Sockets and requests whose client reads nothing; one has sent a close frame."""
    bundle = await _a_large_file(opened.server)
    requests = (b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n" % bundle) * 20
    for data in (requests, requests + Handshake().data, requests + Handshake(behind=CLOSE).data):
        await opened.line(data)
    reader, writer = await opened.line(Handshake().data, b"\r\n\r\n")
    writer.write(PING * 200_000 + CLOSE)
    assert not reader.at_eof()


async def _a_large_file(server: Served) -> bytes:
    answer = await ending(server, b"GET /board HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    return answer.partition(b'src="')[2].partition(b'"')[0]


KINDS: dict[str, Open] = {
    "nothing": lambda opened: opened.line(b""),
    "a part of a head": lambda opened: opened.line(b"GET / HTTP/1.1\r\nHo"),
    "an idle one": lambda opened: opened.line(HEALTH, b'"}'),
    "a body on its way": lambda opened: opened.line(
        b"POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    ),
    "a socket": lambda opened: opened.line(Handshake().data, b"\r\n\r\n"),
    "a socket in the middle of a frame": lambda opened: opened.line(
        Handshake(behind=b"\x81\xfe\xff").data, b"\r\n\r\n"
    ),
    "a handshake in part": lambda opened: opened.line(Handshake().data[:-2]),
    "an announced body": handshakes("a body is announced"),
    "a large cookie": handshakes("a large cookie"),
    "a wrong subprotocol": handshakes("another subprotocol"),
    "a close": handshakes("a close behind it"),
    "unread answers": unread,
    "every handshake": handshakes(),
}

QUERY = json.dumps({"query": "{ __typename }"}).encode()


@pytest.mark.parametrize("kind", KINDS)
async def test_no_connection_delays_the_shutdown(serve: Serve, kind: str):
    """SIGTERM with such a connection: the running request is answered, and the server ends in order."""
    server = await serve(SHUTDOWN_SECONDS=30).ready()
    opened = Opened(server)
    async with opened.stack:
        head = b"POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        reader, writer = await opened.line(head % len(QUERY) + QUERY[:-1])
        await KINDS[kind](opened)
        server.send(signal.SIGTERM)
        await _is_closed(server)
        writer.write(QUERY[-1:])
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 200"), answer
        assert answer.endswith(b'{"data":{"__typename":"Query"}}'), answer
        assert await server.ended(PATIENCE) == 0, server.err
    assert errors(server) == []


async def _is_closed(server: Served) -> None:
    """Wait until it accepts no connection."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                (await asyncio.open_connection("127.0.0.1", server.port))[1].close()
            except ConnectionError:
                return
            await asyncio.sleep(0.05)
