"""Requests of one connection that do not wait for one another: answers come in order, and memory has an end."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from starlette.types import Receive, Scope, Send

from asgi.http_protocol import MAX_PIPELINED
from tests.support.serving import serving
from tests.support.waiting import HANG_SECONDS

GET = b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n"
LAST = b"GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
SOCKET = (
    b"GET /socket HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
H2C = b"POST /h2c HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AA\r\n"
BROKEN = b"POST /broken HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nno number\r\n"


class App:
    """Returns the request and its body, and accepts every socket."""

    def __init__(self) -> None:
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
            await receive()
            return
        message = await receive()
        body = message.get("body", b"")
        while message.get("more_body"):
            message = await receive()
            body += message.get("body", b"")
        await self.may_answer.wait()
        body = b"<%b %b>" % (scope["path"].encode(), body)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
        await send({"type": "http.response.body", "body": body})


@pytest.fixture
async def app() -> App:
    """What is served."""
    return App()


@pytest.fixture
async def port(app: App) -> AsyncIterator[int]:
    """Where it is served."""
    async with serving(app) as url:
        yield int(url.rpartition(":")[2])


async def response_to(port: int, *parts: bytes) -> bytes:
    """All that the server sends to these parts until it closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(HANG_SECONDS):
            for part in parts:
                writer.write(part)
                await asyncio.sleep(0.02)
            return await reader.read()
    finally:
        writer.close()


@pytest.mark.parametrize(
    "wrong", [b"\0\r\n\r\n", b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n"], ids=["garbage", "CONNECT"]
)
async def test_an_invalid_request_follows_the_earlier_responses(port: int, wrong: bytes):
    """Valid requests before it are answered, then the connection is closed."""
    found = await response_to(port, GET % 1 + GET % 2 + wrong)
    assert found.count(b"HTTP/1.1 200") == found.count(b"HTTP/1.1") == 2
    assert found.index(b"</1 >") < found.index(b"connection: close") < found.index(b"</2 >")


async def test_a_broken_body_is_refused_in_its_turn(port: int):
    """The requests before it are answered first."""
    found = await response_to(port, GET % 1 + GET % 2 + BROKEN)
    assert found.index(b"</1 >") < found.index(b"</2 >") < found.index(b"HTTP/1.1 400")
    assert found.count(b"HTTP/1.1") == 3
    assert (await response_to(port, BROKEN)).startswith(b"HTTP/1.1 400")


async def test_an_invalid_request_does_not_interrupt_a_response(app: App, port: int):
    """It is handled after the response."""
    app.may_answer.clear()
    asyncio.get_running_loop().call_later(0.1, app.may_answer.set)
    found = await response_to(port, GET % 1, b"\0\r\n\r\n", b"and more")
    assert found.startswith(b"HTTP/1.1 200")
    assert found.endswith(b"</1 >")


async def test_a_socket_does_not_overtake(port: int):
    """No other protocol begins before all is answered; a request that waits for its turn is none for a socket."""
    found = await response_to(port, GET % 1 + SOCKET + LAST)
    assert b"101 Switching" not in found
    assert found.index(b"</1 >") < found.index(b"</socket >") < found.index(b"</last >")


async def test_a_kept_connection_can_become_a_socket(port: int):
    """After all responses."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(HANG_SECONDS):
        writer.write(GET % 1)
        await reader.readuntil(b"</1 >")
        writer.write(SOCKET)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
    writer.close()


@pytest.mark.parametrize(
    "parts",
    [
        [H2C + b"Content-Length: 4\r\n\r\nbody" + GET % 1 + LAST],
        [H2C + b"Transfer-Encoding: chunked\r\n\r\n2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n" + GET % 1 + LAST],
        [H2C, b"Content-Length: 4\r\n\r\n", b"bo", b"dy" + GET % 1, LAST],
        [H2C + b"Content-Length: 4\r\n\r\nbody" + H2C.replace(b"POST /h2c", b"GET /1") + b"\r\n" + LAST],
    ],
    ids=["whole", "chunked", "in pieces", "twice"],
)
async def test_a_protocol_that_we_do_not_speak_is_passed_over(port: int, parts: list[bytes]):
    """Clients that offer HTTP/2 with a request, as Java's do, are served as if they had not, body included."""
    found = await response_to(port, *parts)
    assert found.index(b"</h2c body>") < found.index(b"</1 >") < found.index(b"</last >")
    assert found.count(b"HTTP/1.1 200") == 3


async def test_reading_pauses_while_requests_wait(port: int):
    """A fast client is slowed down, and all is answered."""
    long = (GET % 1).replace(b"Host", b"Padding: %b\r\nHost" % (b"a" * 1_000))
    requests = 3 * MAX_PIPELINED
    found = await response_to(port, long * requests + LAST)
    assert found.count(b"</1 >") == requests
    assert found.endswith(b"</last >")


async def test_the_number_of_waiting_requests_is_bounded(port: int):
    """Requests behind the thousandth are not served, and the last response says so."""
    found = await response_to(port, (GET % 1) * (MAX_PIPELINED + 30_000))
    assert found.count(b"HTTP/1.1 200") == found.count(b"</1 >") == MAX_PIPELINED + 1
    assert found.count(b"connection: close") == 1
