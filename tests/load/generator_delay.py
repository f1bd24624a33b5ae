"""How late the load generator itself is: its clients see every response and frame that much later."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from tests.load import figures
from tests.load.figures import Figures

DELAY_FILE: Final = "LOAD_DELAY"
OF_THE_GENERATOR: Final = "delay of the load generator"
EVERY_SECONDS: Final = 0.05


class GeneratorDelay:
    """The delays of a timer, in milliseconds."""

    def __init__(self) -> None:
        self._delays: list[float] = []
        self._due = 0.0

    def begin(self) -> None:
        """The timer starts."""
        self._due = time.perf_counter() + EVERY_SECONDS

    def note(self) -> None:
        """The timer has fired, and starts again."""
        now = time.perf_counter()
        self._delays.append(max(0.0, now - self._due) * 1_000)
        self._due = now + EVERY_SECONDS

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Run the timer in this event loop during the block."""
        watching = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            watching.cancel()

    async def _watch(self) -> None:
        self.begin()
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            self.note()

    def save(self, file: Path) -> None:
        """Write the delays to a file."""
        file.write_text(json.dumps(self._delays))

    def figures(self) -> Figures:
        """A row of the table."""
        return _row(self._delays)


def load(file: Path) -> Figures:
    """The row for the delays in a file."""
    return _row(json.loads(file.read_text()))


def _row(delays: list[float]) -> Figures:
    return figures.of(OF_THE_GENERATOR, delays, seconds=len(delays) * EVERY_SECONDS or 1.0)
