"""What arrives on a connection that stays open, as bytes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from websockets.exceptions import ConnectionClosed

from tests.support.waiting import HANG_SECONDS


class Frames:
    """Collects frames in the background."""

    def __init__(self, source: AsyncIterator[bytes]) -> None:
        self.received: list[bytes] = []
        self._arrived = asyncio.Event()
        self._task = asyncio.create_task(self._collect(source))

    async def until(self, part: bytes) -> None:
        """Wait until these bytes have arrived."""
        async with asyncio.timeout(HANG_SECONDS):
            while part not in b"".join(self.received):
                await self.next()

    async def next(self) -> None:
        """Wait for another frame."""
        assert not self._task.done(), f"the connection has ended after {self.received[-3:]}"
        self._arrived.clear()
        await self._arrived.wait()

    async def close(self) -> None:
        """Stop collecting."""
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _collect(self, source: AsyncIterator[bytes]) -> None:
        try:
            with suppress(ConnectionClosed):
                async for frame in source:
                    self.received.append(frame)
                    self._arrived.set()
        finally:
            self._arrived.set()
