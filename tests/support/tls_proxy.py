"""A TLS server in its own thread that forwards the decrypted bytes to a port of this machine."""

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.certificates import Authority, Certificate

_CHUNK = 64 * 1024


@contextmanager
def tls_proxy(to: int, certificate: Certificate, *, clients_of: Authority | None = None) -> Iterator[int]:
    """The port of the server. With *clients_of*, clients need a certificate of this authority."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate.file, certificate.key)
    if clients_of is not None:
        context.load_verify_locations(clients_of.file)
        context.verify_mode = ssl.CERT_REQUIRED
    proxy = _Proxy(to, context)
    thread = threading.Thread(target=asyncio.run, args=(proxy.run(),))
    thread.start()
    proxy.started.wait()
    try:
        yield proxy.port
    finally:
        proxy.end()
        thread.join()


class _Proxy:
    def __init__(self, to: int, context: ssl.SSLContext) -> None:
        self._to = to
        self._context = context
        self.started = threading.Event()
        self.port = 0

    async def run(self) -> None:
        """Serve until `end` is called."""
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        self._loop.set_exception_handler(lambda loop, context: None)  # refused handshakes are what tests are about
        try:
            server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._context)
            self.port = server.sockets[0].getsockname()[1]
        finally:
            self.started.set()
        await self._ended.wait()
        server.close()

    def end(self) -> None:
        """End the server, from another thread."""
        self._loop.call_soon_threadsafe(self._ended.set)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to)
        try:
            with contextlib.suppress(OSError):
                await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        finally:
            for each in (writer, far_writer):
                each.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Forward until the end; then end the other direction, too."""
    while data := await reader.read(_CHUNK):
        writer.write(data)
        await writer.drain()
    raise ConnectionResetError
