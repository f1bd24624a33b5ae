"""A knock that wakes one task, and is not lost if it comes while the task is busy."""

import asyncio
from contextlib import suppress


class Knock:
    """Set any number of times, it wakes its one waiter once."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def set(self) -> None:
        """Wake whoever waits, or whoever will wait next."""
        self._event.set()

    async def wait(self, seconds: float | None = None) -> None:
        """Wait until it has been set, at most for so long."""
        if seconds is None:
            await self._event.wait()
        else:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._event.wait()
        self._event.clear()
