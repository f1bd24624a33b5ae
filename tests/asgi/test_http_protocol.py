"""Connections that would use time or memory without sending a request."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, ClassVar

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from asgi import flow_control
from asgi.http_protocol import MAX_FIELDS, MAX_HEAD, HTTPProtocol
from asgi.websocket_protocol import WebSocketProtocol
from tests.support.serving import running
from tests.support.waiting import HANG_SECONDS

GET = b"GET / HTTP/1.1\r\nHost: a\r\n"


class ShortTimeouts(HTTPProtocol):
    """As the real one, with less patience."""

    head_seconds = 0.5


async def _answer(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"{len(await request.body())}")


async def _early(request: Request) -> PlainTextResponse:
    return PlainTextResponse("read nothing")


@pytest.fixture(scope="module")
async def port() -> AsyncIterator[int]:
    """Where a server with this protocol listens."""
    async with _served(ShortTimeouts, keep_alive=0.1) as port:
        yield port


@asynccontextmanager
async def _served(
    protocol: type[HTTPProtocol], keep_alive: float, ws: type[WebSocketProtocol] = WebSocketProtocol
) -> AsyncIterator[int]:
    routes = [Route("/", _answer, methods=["GET", "POST"]), Route("/early", _early, methods=["POST"])]
    routes.append(Route("/refused", _refuse, methods=["POST"]))
    config = uvicorn.Config(
        Starlette(routes=routes),
        port=0,
        http=protocol,
        ws=ws,
        lifespan="off",
        log_level="critical",
        timeout_keep_alive=keep_alive,  # type: ignore[arg-type]  # call_later takes fractions
    )
    async with running(config) as port:
        yield port


@asynccontextmanager
async def _line(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(HANG_SECONDS):
            yield reader, writer
    finally:
        writer.close()


async def _response_to(port: int, *parts: bytes) -> bytes:
    """The response to these parts, sent one by one, until the server closes."""
    async with _line(port) as (reader, writer):
        try:
            for part in parts:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(0.001)
            return await reader.read()
        except ConnectionError:
            return b""


@pytest.mark.parametrize("begun", [b"", b"GET / HT", GET, b"\r\n\r\n", GET + b"\r\n" + GET])
async def test_an_incomplete_head_times_out(port: int, begun: bytes):
    """For the first request and for later ones."""
    assert (await _response_to(port, begun)).count(b"200 OK") == begun.count(b"\r\n\r\nGET")


async def test_a_byte_now_and_then_buys_no_time(port: int):
    """The deadline of a head stands, however busily it dawdles."""
    async with _line(port) as (reader, writer):
        writer.write(GET)
        while not reader.at_eof() and not writer.is_closing():
            writer.write(b"a")
            try:
                async with asyncio.timeout(0.05):
                    await reader.read(1)
            except TimeoutError:
                continue
            except ConnectionError:
                break


async def test_a_too_large_head_is_refused(port: int):
    """A head of more than 64 kB gets 431 and is not buffered."""
    chunk = b"x: " + b"a" * 16_000 + b"\r\n"
    response = await _response_to(port, GET, *[chunk] * (MAX_HEAD // 16_000 + 1))
    assert response.startswith(b"HTTP/1.1 431") or response == b""


async def test_too_large_trailers_are_refused(port: int):
    """They are not buffered."""
    head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n"
    response = await _response_to(port, head, *[b"x: " + b"a" * 16_000 + b"\r\n"] * 6)
    assert b"200 OK" not in response


async def test_an_unread_body_times_out(port: int):
    """After an early response."""
    response = await _response_to(port, b"POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 9999\r\n\r\nabc")
    assert b"read nothing" in response


async def test_large_bodies_and_kept_connections_are_served():
    """None of this is in the way of honest requests, several on one connection, in pieces or at once."""
    body = b"a" * 300_000
    post = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n"
    chunked = (
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + b"3e8\r\n%s\r\n" % (b"b" * 1000) * 50
    )
    async with _served(HTTPProtocol, keep_alive=60) as port, _line(port) as (reader, writer):
        for request, length in ((post + body, 300_000), (chunked + b"0\r\n\r\n", 50_000), (GET + b"\r\n", 0)):
            for start in range(0, len(request), 50_000):
                writer.write(request[start : start + 50_000])
                await asyncio.sleep(0.005)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200")
            assert await reader.readexactly(len(str(length))) == str(length).encode()


async def test_idle_connections_share_one_timer(monkeypatch: pytest.MonkeyPatch):
    """A timer for each response would take longer than most of the other steps of a request."""
    loop, keep_alive = asyncio.get_running_loop(), 60
    start_timer, timers = loop.call_later, list[float]()

    def call_later(delay: float, *arguments: Any, **options: Any) -> asyncio.TimerHandle:
        timers.append(delay)
        return start_timer(delay, *arguments, **options)

    monkeypatch.setattr(loop, "call_later", call_later)
    async with _served(HTTPProtocol, keep_alive=keep_alive) as port:
        for _ in range(3):
            async with _line(port) as (reader, writer):
                for _ in range(5):
                    writer.write(GET + b"\r\n")
                    await reader.readuntil(b"\r\n\r\n0")
    assert timers.count(keep_alive) == 1


HOSTS: dict[str, tuple[bytes, int]] = {
    "one": (b"Host: a\r\n", 200),
    "a port": (b"Host: example.org:8000\r\n", 200),
    "an address": (b"Host: [::1]:80\r\n", 200),
    "an empty one": (b"Host:\r\n", 200),
    "an underscore": (b"Host: my_service\r\n", 200),
    "none": (b"", 400),
    "two": (b"Host: a\r\nHost: b\r\n", 400),
    "the same twice": (b"Host: a\r\nhost: a\r\n", 400),
    "a list": (b"Host: a, b\r\n", 400),
    "a list without a space": (b"Host: a,b\r\n", 400),
    "a user": (b"Host: user@a\r\n", 400),
    "a path": (b"Host: a/b\r\n", 400),
    "no port": (b"Host: a:b\r\n", 400),
    "two ports": (b"Host: a:1:2\r\n", 400),
    "an open bracket": (b"Host: [::1\r\n", 400),
    "no text": (b"Host: \xff\xfe\r\n", 400),
    "a long one": (b"Host: " + b"a" * 301 + b"\r\n", 400),
}


@pytest.mark.parametrize("case", HOSTS)
@pytest.mark.parametrize("upgrade", [b"", b"Connection: Upgrade\r\nUpgrade: h2c\r\n"], ids=["", "upgrade"])
async def test_a_request_has_one_host(port: int, case: str, upgrade: bytes):
    """RFC 9112, 3.2; the error says what is wrong."""
    host, status = HOSTS[case]
    response = await _response_to(port, b"GET / HTTP/1.1\r\n" + host + upgrade + b"\r\n")
    assert response.startswith(b"HTTP/1.1 %d" % status)
    assert (b"Host" in response) == (status == 400)


@pytest.mark.parametrize(("host", "status"), [(b"", 200), (b"Host: a\r\n", 200), (b"Host: a\r\nHost: b\r\n", 400)])
async def test_before_http_1_1_no_host_was_needed(port: int, host: bytes, status: int):
    """But two were never right."""
    response = await _response_to(port, b"GET / HTTP/1.0\r\n" + host + b"\r\n")
    assert response.startswith(b"HTTP/1.1 %d" % status)


async def test_a_second_request_needs_its_host_too(port: int):
    """The first one is answered, and its answer is the last."""
    response = await _response_to(port, GET + b"\r\n" + b"GET / HTTP/1.1\r\n\r\n")
    assert response.count(b"HTTP/1.1 200") == response.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize(("count", "status"), [(MAX_FIELDS - 1, 200), (MAX_FIELDS, 431), (10_000, 431)])
async def test_a_head_has_a_limited_number_of_fields(port: int, count: int, status: int):
    """Every part of the server looks through all of them."""
    response = await _response_to(port, GET + b"x:y\r\n" * count + b"\r\n")
    assert response.startswith(b"HTTP/1.1 %d" % status)


async def _refuse(request: Request) -> PlainTextResponse:
    return PlainTextResponse("too large", status_code=413, headers={"connection": "close"})


async def test_an_answer_before_the_end_of_the_body_arrives(port: int, monkeypatch: pytest.MonkeyPatch):
    """The client sends on until it has read the answer: the connection is not reset under it (RFC 9112, 9.6)."""
    monkeypatch.setattr(flow_control, "CLOSE_SECONDS", HANG_SECONDS)
    size = 20_000_000  # more than the buffers of both ends hold
    async with _line(port) as (reader, writer):
        writer.write(b"POST /refused HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size + b"a" * size)
        await writer.drain()
        response = await reader.read()
    assert response.startswith(b"HTTP/1.1 413")
    assert response.endswith(b"too large")


@pytest.mark.parametrize("target", [b"http://a", b"http://a?x=1", b"http://a/", b"http://a/?x=1"])
async def test_a_whole_uri_needs_no_path(port: int, target: bytes):
    """RFC 9112, 3.2.2: without one, the path is "/"."""
    response = await _response_to(port, b"GET " + target + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert response.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("target", [b"http://", b"http:///", b"?x", b"a:80", b"http://a:x/"])
async def test_an_invalid_target_is_refused(port: int, target: bytes):
    """With 400, and the server continues."""
    response = await _response_to(port, b"GET " + target + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert response.startswith(b"HTTP/1.1 400")


class Broken(WebSocketProtocol):
    """A protocol that fails with the first read."""

    made: ClassVar[list["Broken"]] = []

    def data_received(self, data: bytes) -> None:
        """Fail."""
        self.made.append(self)
        raise RuntimeError


async def test_a_handshake_that_cannot_be_handed_over_leaves_nothing():
    """The connection is closed, and a shutdown does not wait for it."""
    upgrade = b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
    async with _served(HTTPProtocol, keep_alive=60, ws=Broken) as port:
        assert await _response_to(port, GET + upgrade + b"\r\n") == b""
        (broken,) = Broken.made
        assert broken not in broken.connections
