"""A burst of POSTs over a few connections that are kept: as light as it can be, for it shares its core."""

import asyncio
import re
from collections.abc import Iterator, Sequence
from typing import Final

from benchmarks.dialects import Request

CONNECTIONS: Final = 16
_LENGTH: Final = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


async def post_all(port: int, token: str, requests: Sequence[Request]) -> None:
    """Have them all answered.

    Raises:
        RuntimeError: one was not answered with 200, or with errors.
    """
    waiting = iter(requests)
    async with asyncio.TaskGroup() as group:
        for _ in range(min(CONNECTIONS, len(requests))):
            group.create_task(_post_some(port, token, waiting))


async def _post_some(port: int, token: str, waiting: Iterator[Request]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for request in waiting:
            body = request.body.encode()
            writer.write(
                f"POST {request.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
                + body
            )
            head = await reader.readuntil(b"\r\n\r\n")
            length = _LENGTH.search(head)
            answer = await reader.readexactly(int(length[1]) if length else 0)
            if not head.startswith(b"HTTP/1.1 200") or b'"errors"' in answer or b'"code"' in answer:
                raise RuntimeError(f"A change was answered with {head[:40]!r} {answer[:500]!r}")
    finally:
        writer.close()
