"""How long an event loop is blocked: a timer in the loop records how late it is called.

On a busy machine a process also waits for a processor. So the processor time between two ticks is recorded, too: it
is used by the loop only.
"""

import asyncio
import json
import time
from pathlib import Path
from typing import Final

TICK_SECONDS: Final = 0.005


class Gaps:
    """The longest delays so far, in milliseconds."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._wall = self._cpu = 0.0

    async def watch(self) -> None:
        """Write them when they have grown; start again when the file was removed."""
        before = time.perf_counter(), time.thread_time()
        while True:
            await asyncio.sleep(TICK_SECONDS)
            now = time.perf_counter(), time.thread_time()
            self._note(now[0] - before[0] - TICK_SECONDS, now[1] - before[1])
            before = now

    def _note(self, wall: float, cpu: float) -> None:
        if not self._file.exists():
            self._wall = self._cpu = 0.0
        elif wall * 1_000 <= self._wall and cpu * 1_000 <= self._cpu:
            return
        self._wall, self._cpu = max(self._wall, wall * 1_000), max(self._cpu, cpu * 1_000)
        new = self._file.with_suffix(".new")
        new.write_text(json.dumps({"wall": self._wall, "cpu": self._cpu}))
        new.rename(self._file)  # readers see a complete file
