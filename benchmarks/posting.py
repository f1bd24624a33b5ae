"""A burst of POSTs over a few connections that are kept: as light as it can be, for it shares its core."""

import asyncio
import re
from collections import deque
from collections.abc import Sequence
from typing import Final

from benchmarks.dialects import Request

CONNECTIONS: Final = 16
_MOST_PUT_OFF: Final = 20
_LENGTH: Final = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


async def post_all(port: int, token: str, requests: Sequence[Request]) -> int:
    """Send them all; returns how often a response was UNAVAILABLE, after which the request is repeated.

    Raises:
        RuntimeError: one was not answered with 200, or with errors.
    """
    waiting = deque(requests)
    async with asyncio.TaskGroup() as group:
        posting = [group.create_task(_post_some(port, token, waiting)) for _ in range(min(CONNECTIONS, len(requests)))]
    return sum(each.result() for each in posting)


async def _post_some(port: int, token: str, waiting: deque[Request]) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    put_off = 0
    try:
        while waiting:
            request = waiting.popleft()
            status, answer = await _post(reader, writer, token, request)
            if (status == 503 or b"UNAVAILABLE" in answer) and put_off < _MOST_PUT_OFF:
                put_off += 1
                waiting.appendleft(request)
            elif status != 200 or b'"errors"' in answer or b'"code"' in answer:
                raise RuntimeError(f"A change was answered with {status}: {answer[:500]!r}")
    finally:
        writer.close()
    return put_off


async def _post(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, token: str, request: Request
) -> tuple[int, bytes]:
    body = request.body.encode()
    writer.write(
        f"POST {request.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        + body
    )
    head = await reader.readuntil(b"\r\n\r\n")
    length = _LENGTH.search(head)
    return int(head.split(b" ", 2)[1]), await reader.readexactly(int(length[1]) if length else 0)
