"""Serves an application with a real server on a free loopback port, in the loop of the test."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from asgi.http_protocol import HTTPProtocol
from asgi.websocket_protocol import WebSocketProtocol

_GRACE_SECONDS: Final = 2


class _Server(uvicorn.Server):
    """uvicorn's own end takes 0.1 to 0.3 seconds even without connections, and tests end hundreds of servers."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close the connections as uvicorn does, and wait for them and for running requests only as long as needed."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        with suppress(TimeoutError):
            async with asyncio.timeout(_GRACE_SECONDS):
                await self._idle()
                for server in self.servers:
                    await server.wait_closed()
        for task in list(self.server_state.tasks):
            task.cancel()

    async def _idle(self) -> None:
        await asyncio.sleep(0)
        while self.server_state.connections or self.server_state.tasks:
            await asyncio.sleep(0.002)


@asynccontextmanager
async def running(config: uvicorn.Config) -> AsyncIterator[int]:
    """The port of a server without signals, lifespan and ticks: its `Date` stays the same."""
    server = _Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    await server.on_tick(0)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        await server.shutdown()


@asynccontextmanager
async def serving(app: ASGIApp, *, port: int = 0) -> AsyncIterator[str]:
    """The address of a running server, `http://127.0.0.1:port`; without a port, a free one."""
    config = uvicorn.Config(
        app,
        port=port,
        http=HTTPProtocol,
        lifespan="off",
        proxy_headers=False,
        log_level="critical",
        ws=WebSocketProtocol,
        ws_per_message_deflate=False,
        ws_max_size=512 * 1024,
        ws_ping_interval=None,
    )
    async with running(config) as bound:
        yield f"http://127.0.0.1:{bound}"
