"""A small HTTP/1.1 client that returns the bytes of a response as they were received."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from tests.support.waiting import HANG_SECONDS


@dataclass(frozen=True)
class Response:
    """A response. `raw` has the headers too."""

    status: int
    body: bytes
    raw: bytes


class Connection:
    """A connection that stays open; requests follow each other."""

    def __init__(self, url: str) -> None:
        self._host, _, port = url.removeprefix("http://").partition(":")
        self._port = int(port)
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def request(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None) -> Response:
        """Send a request and read the complete response."""
        async with asyncio.timeout(HANG_SECONDS):
            reader, writer = await self._connected()
            writer.write(_head(method, path, headers, body) + (body or b""))
            head = await reader.readuntil(b"\r\n\r\n")
            found = await _body(reader, head, has_body=method != "HEAD")
        return Response(int(head.split(b" ", 2)[1]), found, head + found)

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is not None and self._streams[0].at_eof():
            await self.close()  # the server has closed it, because it was idle
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port)
        return self._streams

    async def close(self) -> None:
        """Close it."""
        if self._streams is not None:
            [_, writer], self._streams = self._streams, None
            writer.close()
            await writer.wait_closed()


class EventStream:
    """The events of a response that does not end, as bytes."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader

    async def chunks(self) -> AsyncIterator[bytes]:
        """The chunks, until the response or the connection ends."""
        with suppress(asyncio.IncompleteReadError):
            while chunk := await _chunk(self._reader):
                yield chunk


@asynccontextmanager
async def event_stream(url: str, headers: Mapping[str, str], body: bytes) -> AsyncIterator[EventStream]:
    """A subscription with POST over a connection of its own, which is closed at the end."""
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(_head("POST", "/graphql", headers, body) + body)
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"text/event-stream" in head, head
        yield EventStream(reader)
    finally:
        writer.close()
        await writer.wait_closed()


def _head(method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> bytes:
    sent = {"host": "localhost", **headers}
    if body is not None:
        sent |= {"content-type": "application/json", "content-length": str(len(body))}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items()), "", ""]
    return "\r\n".join(lines).encode()


async def _body(reader: asyncio.StreamReader, head: bytes, *, has_body: bool) -> bytes:
    lines = [line.partition(b":") for line in head.lower().split(b"\r\n")[1:]]
    headers = {name: value.strip() for name, _, value in lines}
    if not has_body:
        return b""
    if headers.get(b"transfer-encoding") == b"chunked":
        parts = []
        while part := await _chunk(reader):
            parts.append(part)
        return b"".join(parts)
    return await reader.readexactly(int(headers.get(b"content-length", b"0")))


async def _chunk(reader: asyncio.StreamReader) -> bytes:
    size = int((await reader.readuntil(b"\r\n")).strip(), 16)
    return (await reader.readexactly(size + 2))[:-2]
