"""Thousands of simple sockets that subscribe once and count deliveries."""

import asyncio
import base64
import json
import os
import re
import struct
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final, cast

_AT_A_TIME: Final = 50
_PATIENCE_SECONDS: Final = 20.0
_QUIET_SECONDS: Final = 1.0
_TIMED: Final = 10
"""Sockets whose deliveries are timed. All would cost the client more than it costs the server to send them."""
_CHANGED_AT: Final = re.compile(rb'"(?:at|updatedAt)": ?"([^"]+)"')


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The URL, whether to use `graphql-transport-ws`, and how a delivery is recognised."""

    path: str = "/graphql"
    converses: bool = True
    mark: bytes = b'"next"'


GRAPHQL: Final = Endpoint()
_PROTOCOL: Final = "Sec-WebSocket-Protocol: graphql-transport-ws\r\n"


class Listener(asyncio.Protocol):
    """One socket."""

    def __init__(self, group: "ListenerGroup", token: str, *, timed: bool = False) -> None:
        self._group = group
        self._timed = timed
        self._endpoint = group.endpoint
        self._token = token
        self._unread = b""
        self._upgraded = False
        self.subscribed = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Request the upgrade."""
        self._transport = cast("asyncio.Transport", transport)
        key = base64.b64encode(os.urandom(16)).decode()
        self._transport.write(
            f"GET {self._endpoint.path.format(token=self._token)} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
            f"Sec-WebSocket-Version: 13\r\n{_PROTOCOL if self._endpoint.converses else ''}\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        """Count the complete frames."""
        self._unread += data
        if not self._upgraded:
            _head, found, rest = self._unread.partition(b"\r\n\r\n")
            if not found:
                return
            self._upgraded, self._unread = True, rest
            if self._endpoint.converses:
                self._send({"type": "connection_init", "payload": {"authorization": f"Bearer {self._token}"}})
            else:
                self.subscribed.set_result(None)
        self._read_frames()

    def connection_lost(self, exc: Exception | None) -> None:
        """Record it: the result of a benchmark that loses sockets is not valid."""
        self._group.lose()
        if not self.subscribed.done():
            self.subscribed.set_exception(ConnectionError("lost before the subscription was acknowledged"))

    def close(self) -> None:
        """Close the socket."""
        self._transport.abort()

    def _read_frames(self) -> None:
        data, start, end = self._unread, 0, len(self._unread)
        while end - start >= 2:
            length, begin = data[start + 1], start + 2
            if length == 126:
                if end - start < 4:
                    break
                length, begin = int.from_bytes(data[start + 2 : start + 4], "big"), start + 4
            if end < begin + length:
                break
            self._receive(data, begin, begin + length)
            start = begin + length
        self._unread = data[start:]

    def _receive(self, data: bytes, begin: int, end: int) -> None:
        if data.find(self._endpoint.mark, begin, end) >= 0:
            needed = self._timed or self._group.sample is None
            self._group.receive(data[begin:end] if needed else None, timed=self._timed)
        elif data.find(b'"connection_ack"', begin, end) >= 0:
            payload = {"query": self._group.query}
            self._send({"id": "1", "type": "subscribe", "payload": payload})
            self._send({"type": "ping"})
        elif data.find(b'"pong"', begin, end) >= 0:
            self.subscribed.set_result(None)
        elif data.find(b'"ping"', begin, end) >= 0:
            self._send({"type": "pong"})
        elif data.find(b'"error"', begin, end) >= 0:
            raise RuntimeError(data[begin:end].decode())

    def _send(self, message: object) -> None:
        text = json.dumps(message).encode()
        head = bytes([0x81, 0x80 | len(text)]) if len(text) < 126 else struct.pack("!BBH", 0x81, 0xFE, len(text))
        self._transport.write(head + bytes(4) + text)  # a mask of zeros changes nothing


class ListenerGroup:
    """All sockets, and the number of their deliveries."""

    def __init__(self, query: str, endpoint: Endpoint, clock: Callable[[], float] = time.time) -> None:
        self.query = query
        self._clock = clock
        self.endpoint = endpoint
        self.received = self.lost = 0
        self.sample: bytes | None = None
        self.sockets = 0
        self.delays: list[float] = []
        """Seconds from `updatedAt` of the task to the frame, in the timed sockets."""
        self._wanted = 0
        self._enough = asyncio.Event()

    def receive(self, sample: bytes | None, *, timed: bool = False) -> None:
        """One delivery. *sample* is its frame, which is needed if the delivery is *timed*."""
        self.received += 1
        self.sample = self.sample or sample
        if timed and sample is not None and (found := _CHANGED_AT.search(sample)) is not None:
            self.delays.append(self._clock() - datetime.fromisoformat(found[1].decode()).timestamp())
        if self.received >= self._wanted:
            self._enough.set()

    def lose(self) -> None:
        """A socket is lost: waiting callers fail."""
        self.lost += 1
        self._enough.set()

    def expect(self, many: int) -> None:
        """Count from zero, up to this number."""
        self.received, self._wanted, self.delays = 0, many, []
        self._enough.clear()

    async def be_quiet(self) -> None:
        """Wait until no delivery has arrived for a while."""
        before = -1
        while before != self.received:
            before = self.received
            await asyncio.sleep(_QUIET_SECONDS)

    async def have_received_at_least(self, many: int, patience: float) -> None:
        """Wait for this number of deliveries since `expect`.

        Raises:
            TimeoutError: they have not arrived.
            ConnectionError: a socket was lost.
        """
        self._wanted = many
        if self.received < many and not self.lost:
            self._enough.clear()
        await self.have_received(patience)

    async def have_received(self, patience: float) -> None:
        """Wait for the expected number of deliveries.

        Raises:
            TimeoutError: they have not.
            ConnectionError: a socket was lost.
        """
        async with asyncio.timeout(patience):
            await self._enough.wait()
        if self.lost:
            raise ConnectionError(f"{self.lost} sockets were lost.")


@asynccontextmanager
async def listening(
    port: int, query: str, tokens: list[str], endpoint: Endpoint = GRAPHQL, at_a_time: int = _AT_A_TIME
) -> AsyncIterator[ListenerGroup]:
    """One subscribed socket for each token; so many are opened at the same time."""
    group, loop, sockets = ListenerGroup(query, endpoint), asyncio.get_running_loop(), []
    every = max(1, len(tokens) // _TIMED)
    for start in range(0, len(tokens), at_a_time):
        new = [
            partial(Listener, group, token, timed=number % every == 0)
            for number, token in enumerate(tokens[start : start + at_a_time], start)
        ]
        some = [(await loop.create_connection(each, "127.0.0.1", port))[1] for each in new]
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await asyncio.gather(*(each.subscribed for each in some))
        sockets += some
    group.sockets = len(sockets)
    try:
        yield group
    finally:
        for each in sockets:
            each.close()
        await asyncio.sleep(0.5)
