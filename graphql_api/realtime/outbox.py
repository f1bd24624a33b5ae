"""What waits to be published: never more than a little, because it is only a doorbell."""

import asyncio
from collections import deque
from typing import Final

from graphql_api.realtime.chime import Chime

ROOM: Final = 64


class Outbox:
    """A bounded queue that drops what it has no room for."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._waiting: deque[Chime] = deque()
        self._filled = asyncio.Event()

    def put(self, chime: Chime) -> None:
        """Take a chime, or drop it if there is no room; whoever misses it looks into the table."""
        if len(self._waiting) < self._room:
            self._waiting.append(chime)
            self._filled.set()

    async def get(self) -> Chime:
        """The oldest one; waits for it."""
        while not self._waiting:
            self._filled.clear()
            await self._filled.wait()
        return self._waiting.popleft()

    def clear(self) -> None:
        """Drop everything."""
        self._waiting.clear()
