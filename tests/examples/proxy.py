"""A proxy between a client and the current server, which can be cut and can stall."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

CHUNK = 65_536


class Proxy:
    """Listens on a port that stays the same; `target` is the port behind it, None when there is nothing."""

    def __init__(self) -> None:
        self.target: int | None = None
        self.port = 0
        self.connections = 0
        self._flows = asyncio.Event()
        self._flows.set()
        self._open: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        """Break every connection."""
        for writer in self._open:
            writer.transport.abort()

    def stall(self) -> None:
        """Hold all data back without closing connections."""
        self._flows.clear()

    def flow(self) -> None:
        """Go on."""
        self._flows.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection both ways."""
        self.connections += 1
        self._open.add(writer)
        try:
            if self.target is not None:
                there, here = await asyncio.open_connection("127.0.0.1", self.target)
                self._open.add(here)
                await asyncio.gather(self._pump(reader, here), self._pump(there, writer))
                self._open.discard(here)
        except OSError:
            pass
        finally:
            self._open.discard(writer)
            writer.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                await self._flows.wait()
                writer.write(data)
                await writer.drain()
        writer.transport.abort()


@asynccontextmanager
async def proxying() -> AsyncIterator[Proxy]:
    """A proxy that runs."""
    proxy = Proxy()
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        proxy.flow()
        proxy.cut()
        server.close()
