"""A request that is handled in one step has the same response as one with ASGI messages, byte by byte."""

import asyncio
import gc
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from asgi.exchange import exchange_of
from asgi.http_protocol import HTTPProtocol
from asgi.request_body import read_body
from asgi.response import HTTPResponse
from asgi.timeouts import TimeoutQueue
from tests.support.serving import running
from tests.support.waiting import HANG_SECONDS

POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"


class App:
    """Answers with the length of the body, in one step if it may."""

    def __init__(self) -> None:
        self.in_one_step = True
        self._timeouts = TimeoutQueue(5)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        exchange = exchange_of(scope) if self.in_one_step else None
        body = await read_body(
            receive, dict(scope["headers"]), max_bytes=100_000, timeouts=self._timeouts, exchange=exchange
        )
        answer = HTTPResponse(200, b"%d" % len(body))
        await answer.send(send, request_id="r", with_body=scope["method"] != "HEAD", exchange=exchange)


@asynccontextmanager
async def serving(app: App) -> AsyncIterator[int]:
    """The port where it is served."""
    config = uvicorn.Config(app, port=0, http=HTTPProtocol, lifespan="off", log_level="critical")
    async with running(config) as port:
        yield port


async def response_to(port: int, *parts: bytes) -> bytes:
    """The response to these parts, which end with a request that closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for part in parts:
        writer.write(part)
        await asyncio.sleep(0.02)
    async with asyncio.timeout(HANG_SECONDS):
        found = await reader.read()
    writer.close()
    return re.sub(rb"date: [^\r]*\r\n", b"", found)


@pytest.mark.parametrize(
    "parts",
    [
        [POST + b"Connection: close\r\n\r\nabc"],
        [POST + b"\r\nabc", POST + b"Connection: close\r\n\r\nabc"],
        [POST + b"\r\nabc" + POST + b"\r\nabc" + POST + b"Connection: close\r\n\r\nabc"],
        [POST + b"\r\na", b"bc", POST + b"Connection: close\r\n\r\na", b"bc"],
        [POST + b"Expect: 100-continue\r\nConnection: close\r\n\r\nabc"],
        [POST + b"Expect: 100-continue\r\nConnection: close\r\n\r\n", b"abc"],
        [POST.replace(b"1.1", b"1.0") + b"\r\nabc"],
        [POST.replace(b"POST", b"HEAD") + b"Connection: close\r\n\r\nabc"],
        [b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n0\r\n\r\n"],
    ],
    ids=["one", "kept", "pipelined", "in pieces", "expects, and sends", "expects", "1.0", "HEAD", "chunked"],
)
async def test_the_responses_are_equal(parts: list[bytes]):
    """For every request, however it is split: the same lines in any order."""
    app = App()
    async with serving(app) as port:
        in_one = await response_to(port, *parts)
        app.in_one_step = False
        by_messages = await response_to(port, *parts)

    assert in_one.count(b"HTTP/1.1 200 OK") >= 1
    assert sorted(in_one.split(b"\r\n")) == sorted(by_messages.split(b"\r\n"))
    assert [line for line in in_one.split(b"\r\n") if line.startswith(b"HTTP")] == [
        line for line in by_messages.split(b"\r\n") if line.startswith(b"HTTP")
    ]


def cycles() -> int:
    """How many of uvicorn's objects for a request are there, those that other tests have left included."""
    return sum(type(each) is RequestResponseCycle for each in gc.get_objects())


async def test_a_request_leaves_nothing_to_the_collector():
    """What belongs to it is gone with it."""
    async with serving(App()) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        gc.collect()
        gc.disable()
        before = cycles()
        try:
            for _ in range(20):
                writer.write(POST + b"\r\nabc")
                await reader.readuntil(b"\r\n\r\n3")
            assert cycles() <= before + 1
        finally:
            gc.enable()
            writer.close()
