"""A beat that wakes everybody who waits for it, and is gone."""

import asyncio


class Pulse:
    """Unlike an event it is never set: who comes after a beat waits for the next one."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def beat(self) -> None:
        """Wake whoever waits now."""
        self._next.set()
        self._next = asyncio.Event()

    async def wait(self) -> None:
        """Wait for the next beat."""
        await self._next.wait()
