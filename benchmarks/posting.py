"""A burst of POST requests over a few connections. It uses little processor time, because it shares its core."""

import asyncio
import re
from collections import deque
from collections.abc import Sequence
from typing import Final

from benchmarks.dialects import Request

CONNECTIONS: Final = 16
_MAX_REPEATS: Final = 20
_LENGTH: Final = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


async def post_all(port: int, token: str, requests: Sequence[Request]) -> int:
    """Send all requests; returns the number of UNAVAILABLE responses, after which a request is repeated.

    Raises:
        RuntimeError: a response has errors or a status other than 200.
    """
    waiting = deque(requests)
    async with asyncio.TaskGroup() as group:
        posting = [group.create_task(_post_some(port, token, waiting)) for _ in range(min(CONNECTIONS, len(requests)))]
    return sum(each.result() for each in posting)


async def _post_some(port: int, token: str, waiting: deque[Request]) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    repeated = 0
    try:
        while waiting:
            request = waiting.popleft()
            status, answer = await post(reader, writer, token, request)
            if (status == 503 or b"UNAVAILABLE" in answer) and repeated < _MAX_REPEATS:
                repeated += 1
                waiting.appendleft(request)
            elif status != 200 or b'"errors"' in answer or b'"code"' in answer:
                raise RuntimeError(f"A change was answered with {status}: {answer[:500]!r}")
    finally:
        writer.close()
    return repeated


async def post(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, token: str, request: Request
) -> tuple[int, bytes]:
    """Send a request over an open connection; returns the status and the body of the response."""
    body = request.body.encode()
    writer.write(
        f"POST {request.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        + body
    )
    head = await reader.readuntil(b"\r\n\r\n")
    length = _LENGTH.search(head)
    return int(head.split(b" ", 2)[1]), await reader.readexactly(int(length[1]) if length else 0)
