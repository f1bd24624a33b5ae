"""Serves an application with a real server on a free loopback port, in the loop of the test."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.types import ASGIApp

from asgi.http_protocol import HTTPProtocol
from asgi.websocket_protocol import WebSocketProtocol
from tests.support.waiting import HANG_SECONDS


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are for the test runner."""
        yield


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[str]:
    """The address of a running server, `http://127.0.0.1:port`."""
    config = uvicorn.Config(
        app,
        port=0,
        http=HTTPProtocol,
        lifespan="off",
        proxy_headers=False,
        log_level="critical",
        ws=WebSocketProtocol,
        ws_per_message_deflate=False,
        ws_max_size=512 * 1024,
        ws_ping_interval=None,
        timeout_graceful_shutdown=2,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve())
    try:
        async with asyncio.timeout(HANG_SECONDS):
            while not server.started:
                await asyncio.sleep(0.005)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await task
