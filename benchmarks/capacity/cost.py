"""The processor time of the server and of PostgreSQL for requests that are sent one after the other."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final, Self

import asyncpg

from benchmarks.dataset import plain
from benchmarks.dialects import Request
from benchmarks.posting import post
from benchmarks.process import ServerProcess

_CONNECTIONS: Final = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
_NANOSECONDS: Final = 1e9


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds of processor time of the server and of PostgreSQL, and until the response; each for one request."""

    server: float
    primary: float
    response: float

    @property
    def used(self) -> float:
        """The processor time of both."""
        return self.server + self.primary


class Meter:
    """Reads the processor time of a server process and of its connections to the database."""

    def __init__(self, server: ServerProcess, connection: "asyncpg.Connection[Any]") -> None:
        self._server = server
        self._connection = connection

    async def read(self) -> tuple[float, float]:
        """Seconds of processor time since their starts."""
        pids = [each["pid"] for each in await self._connection.fetch(_CONNECTIONS)]
        return seconds_of([self._server.pid]), seconds_of(pids)


@asynccontextmanager
async def metered(server: ServerProcess, database_url: str) -> AsyncIterator[Meter]:
    """A meter with its own connection, whose time is not counted."""
    connection = await asyncpg.connect(plain(database_url))
    try:
        yield Meter(server, connection)
    finally:
        await connection.close()


class TimedOut(Exception):
    """A statement took longer than the server lets it take."""


class Client:
    """One connection to a server, for requests of one user."""

    def __init__(self, token: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._token = token
        self._reader, self._writer = reader, writer

    @classmethod
    @asynccontextmanager
    async def connected(cls, port: int, token: str) -> AsyncIterator[Self]:
        """Connected while the block runs."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            yield cls(token, reader, writer)
        finally:
            writer.close()

    async def send(self, query: str, variables: dict[str, Any]) -> Any:
        """Send an operation and return its data.

        Raises:
            TimedOut: the response is UNAVAILABLE.
            RuntimeError: the response has other errors.
        """
        request = Request("POST", "/graphql", json.dumps({"query": query, "variables": variables}))
        status, answer = await post(self._reader, self._writer, self._token, request)
        if b"UNAVAILABLE" in answer:
            raise TimedOut
        if status != 200 or b'"errors"' in answer or b'"code"' in answer:
            raise RuntimeError(f"{query} was answered with {status}: {answer[:500]!r}")
        return json.loads(answer)["data"]


async def cost_of(client: Client, meter: Meter, query: str, each: Sequence[dict[str, Any]], warm_up: int = 20) -> Cost:
    """The cost of an operation with these variables, after some requests that do not count."""
    for variables in each[:warm_up]:
        await client.send(query, variables)
    counted, times = each[warm_up:], []
    server, primary = await meter.read()
    for variables in counted:
        began = time.perf_counter()
        await client.send(query, variables)
        times.append(time.perf_counter() - began)
    later_server, later_primary = await meter.read()
    number = len(counted) / 1_000
    return Cost((later_server - server) / number, (later_primary - primary) / number, median(times) * 1_000)


def seconds_of(pids: Iterable[int]) -> float:
    """The processor time of these processes and their threads. The kernel counts it in nanoseconds."""
    total = 0
    for pid in pids:
        with suppress(FileNotFoundError, ProcessLookupError):
            for thread in Path(f"/proc/{pid}/task").iterdir():
                total += int((thread / "schedstat").read_text().split()[0])
    return total / _NANOSECONDS
