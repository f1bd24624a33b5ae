"""Moves of tasks at a given rate, and subscribers who see all of them.

It is an open loop: moves do not wait for earlier ones as long as a connection is free, and the time that a move waits
for one is shown. Without Locust, because its clients would take more of the processor than the server.
"""

import asyncio
import re
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle
from typing import Final, cast

from benchmarks.dataset import MODERATORS
from benchmarks.dialects import Request
from benchmarks.environment import token_for
from benchmarks.listeners import listening
from tests.load import figures, server_times
from tests.load.figures import Figures
from tests.load.generator_delay import GeneratorDelay
from tests.load.run import Target

CONNECTIONS: Final = 48
TICK_SECONDS: Final = 0.002
WARM_UP_SECONDS: Final = 3
METRICS_SECONDS: Final = 1.5
"""Time in which all processes have updated their metrics."""
LISTEN: Final = "subscription { taskChanged { at task { id title status version } } }"
LISTEN_WITH_PEOPLE: Final = LISTEN.replace("version", "version owner { username } assignee { username }")
"""Like a board: for each event, users have to be read, too."""
_LENGTH: Final = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


@dataclass(slots=True)
class Moves:
    """The moves that were sent: their times in milliseconds, and how many failed."""

    token: str
    waiting: deque[tuple[float, Request]] = field(default_factory=deque)
    responses: list[float] = field(default_factory=list)
    from_due: list[float] = field(default_factory=list)
    failures: int = 0

    def rows(self, seconds: float) -> list[Figures]:
        """Rows of the table."""
        return [
            figures.of("move a task", self.responses, seconds, failures=self.failures),
            figures.of("move a task, since it was due", self.from_due, seconds),
        ]


class _Connection(asyncio.Protocol):
    """A connection that sends one move at a time."""

    def __init__(self, moves: Moves, free: "deque[_Connection]") -> None:
        self._moves = moves
        self._free = free
        self._data = b""
        self._due = self._sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is free."""
        self._transport = cast("asyncio.Transport", transport)
        self._free.append(self)

    def send(self, due: float, request: Request) -> None:
        """Send a move that was due at a time."""
        body = request.body.encode()
        self._due, self._sent, self._data = due, time.perf_counter(), b""
        self._transport.write(
            f"POST {request.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self._moves.token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )

    def data_received(self, data: bytes) -> None:
        """Take the response, and send the next move that is due."""
        self._data += data
        head, found, body = self._data.partition(b"\r\n\r\n")
        length = _LENGTH.search(head) if found else None
        if length is None or len(body) < int(length[1]):
            return
        now = time.perf_counter()
        self._moves.responses.append((now - self._sent) * 1_000)
        self._moves.from_due.append((now - self._due) * 1_000)
        self._moves.failures += b" 200 " not in head[:20] or b'"errors"' in body or b'"code"' in body
        if self._moves.waiting:
            self.send(*self._moves.waiting.popleft())
        else:
            self._free.append(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is not free any more: the server closes a connection that is not used for some seconds."""
        if self in self._free:
            self._free.remove(self)

    def close(self) -> None:
        """Close the connection."""
        self._transport.abort()


async def send_moves(port: int, moves: Moves, source: Iterator[Request], rate: float, seconds: float) -> None:
    """Send *rate* moves per second, for so long."""
    loop, free = asyncio.get_running_loop(), deque[_Connection]()
    connections = [
        (await loop.create_connection(lambda: _Connection(moves, free), "127.0.0.1", port))[1]
        for _ in range(CONNECTIONS)
    ]
    sent, began = 0, time.perf_counter()
    while (now := time.perf_counter()) < began + seconds:
        while sent < (now - began) * rate:
            due = began + sent / rate
            if free:
                free.popleft().send(due, next(source))
            else:
                moves.waiting.append((due, next(source)))
            sent += 1
        await asyncio.sleep(TICK_SECONDS)
    moves.waiting.clear()
    for each in connections:
        each.close()


async def measure(
    target: Target, requests: list[Request], rate: float, seconds: float, listen: str, subscribers: int
) -> tuple[list[Figures], float]:
    """Send moves, also for a few seconds before the measurement.

    Returns the rows of the table, and the processor time of the server in seconds.
    """
    source, delay, port = cycle(requests), GeneratorDelay(), target.process.port
    tokens = [token_for(target.peer, 1 + number % MODERATORS) for number in range(subscribers)]
    async with listening(port, listen, tokens) as times:
        await send_moves(port, Moves(token_for(target.peer)), source, rate, WARM_UP_SECONDS)
        times.delays.clear()
        before, cpu = server_times.read(target.metrics_port), target.process.cpu_seconds
        async with delay.watched():
            moves = Moves(token_for(target.peer))
            await send_moves(port, moves, source, rate, seconds)
        used = target.process.cpu_seconds - cpu
        await asyncio.sleep(METRICS_SECONDS)
        written = server_times.read(target.metrics_port).since(before)
    received = figures.of("receive a change, since its start", [1_000 * delay for delay in times.delays], seconds)
    rows = [*moves.rows(seconds), server_times.figures(written, seconds), received, delay.figures()]
    return rows, used
