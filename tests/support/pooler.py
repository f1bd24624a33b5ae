"""A connection pooler: clients share sessions of a PostgreSQL server that asks for no password."""

import asyncio
import struct
from types import TracebackType
from typing import Literal, Self

from tests.support.managed_statements import ManagedStatements, SessionStatements

Mode = Literal["transaction", "statement", "session"]
_TLS, _CANCEL = 80877103, 80877102
_KNOWN = ("user", "database", "client_encoding", "application_name")
_BUFFER = 64 * 1024


class _Server:
    """A session of the server's."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.statements = SessionStatements()


class Pooler:
    """Passes clients on to a port of this machine; use it as a context manager.

    In the modes `transaction` and `statement` each transaction gets the session that has been free for the longest
    time. *parameters* is what becomes of settings that a client asks for at its start: they are `passed` on, `ignored`,
    or the client is `refused`. *manages_statements* is whether the pooler manages prepared statements.
    """

    def __init__(
        self,
        to: int,
        mode: Mode,
        *,
        parameters: Literal["passed", "ignored", "refused"] = "ignored",
        manages_statements: bool = False,
    ) -> None:
        self._to, self.mode, self._parameters = to, mode, parameters
        self.manages_statements = manages_statements
        self.free: list[_Server] = []
        self._servers: list[_Server] = []
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """Where clients connect."""
        port: int = self._listener.sockets[0].getsockname()[1]
        return port

    async def __aenter__(self) -> Self:
        self._listener = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for server in self._servers:
            server.writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._serve(reader, writer)
        except (asyncio.CancelledError, asyncio.IncompleteReadError, OSError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        settings = await _settings(reader, writer)
        if settings is None:
            return
        if self._parameters == "refused" and set(settings) - set(_KNOWN):
            writer.write(_error("08P01", "unsupported startup parameter: statement_timeout"))
            await writer.drain()
            return
        first = await self._connect(settings, writer)
        if self.mode == "session":
            await _Client(self, reader, writer, first).serve()
        else:
            self.free.append(first)
            await _Client(self, reader, writer, None).serve()

    async def _connect(self, settings: dict[str, str], client: asyncio.StreamWriter) -> _Server:
        kept = settings if self._parameters == "passed" else {k: v for k, v in settings.items() if k in _KNOWN}
        server = _Server(*await asyncio.open_connection("127.0.0.1", self._to))
        self._servers.append(server)
        body = struct.pack("!i", 196608) + b"".join(f"{k}\0{v}\0".encode() for k, v in kept.items()) + b"\0"
        server.writer.write(struct.pack("!i", len(body) + 4) + body)
        await _relay(server, client)
        return server


class _Client:
    """One client, with its current session."""

    def __init__(
        self, pooler: Pooler, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, server: _Server | None
    ) -> None:
        self._pooler, self._reader, self._writer, self._server = pooler, reader, writer, server
        self._answers: asyncio.Task[None] | None = None
        self._statements = ManagedStatements() if pooler.manages_statements else None

    async def serve(self) -> None:
        """Serve until the client ends."""
        try:
            while True:
                kind, message = await _message(self._reader)
                if kind == b"X":
                    return
                if self._pooler.mode == "statement" and message[5:].upper().startswith(b"BEGIN"):
                    self._writer.write(_error("08P01", _NO_BLOCKS) + _READY)
                else:
                    self._send(message)
        finally:
            if self._answers is not None:
                self._answers.cancel()

    def _send(self, message: bytes) -> None:
        if self._server is None:
            self._server = self._pooler.free.pop(0)
        if self._answers is None:
            self._answers = asyncio.create_task(self._answer(self._server))
        if self._statements is not None:
            message = self._statements.translated(message, self._server.statements)
        self._server.writer.write(message)

    async def _answer(self, server: _Server) -> None:
        """Pass answers on, in the modes that share sessions until the transaction is over."""
        while await _relay(server, self._writer) != b"I" or self._pooler.mode == "session":
            pass
        self._pooler.free.append(server)
        self._server = self._answers = None


_NO_BLOCKS = "transaction blocks not allowed in statement pooling mode"
_READY = b"Z" + struct.pack("!i", 5) + b"I"


async def _settings(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> dict[str, str] | None:
    """What a client asks for at its start; None if it came only to cancel."""
    while True:
        (length,) = struct.unpack("!i", await reader.readexactly(4))
        body = await reader.readexactly(length - 4)
        (code,) = struct.unpack("!i", body[:4])
        if code == _CANCEL:
            return None
        if code != _TLS:
            words = body[4:].rstrip(b"\0").decode().split("\0")
            return dict(zip(words[::2], words[1::2], strict=True))
        writer.write(b"N")


async def _message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = await reader.readexactly(5)
    (length,) = struct.unpack("!i", head[1:])
    return head[:1], head + await reader.readexactly(length - 4)


async def _relay(server: _Server, client: asyncio.StreamWriter) -> bytes:
    """Forward the server's messages until it is ready; returns the transaction state."""
    while True:
        kind, message = await _message(server.reader)
        if not server.statements.is_hidden(kind):
            client.write(message)
        if kind == b"Z":
            await client.drain()
            return message[5:]


def _error(state: str, text: str) -> bytes:
    body = (
        b"".join(f"{field}{value}\0".encode() for field, value in (("S", "FATAL"), ("C", state), ("M", text))) + b"\0"
    )
    return b"E" + struct.pack("!i", len(body) + 4) + body
