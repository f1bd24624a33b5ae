"""How long an event loop stands still: a ticker in it notes how much too late it is called."""

import asyncio
import time
from pathlib import Path
from typing import Final

TICK_SECONDS: Final = 0.005


async def watch(file: Path) -> None:
    """Write the longest gap so far, in milliseconds beyond a tick, whenever there is a longer one; begin anew if the
    file has vanished.
    """
    longest, before = -1.0, time.perf_counter()
    while True:
        await asyncio.sleep(TICK_SECONDS)
        now = time.perf_counter()
        late, before = (now - before - TICK_SECONDS) * 1_000, now
        if late > longest or not file.exists():  # noqa: ASYNC240 - a stat of a local file; this process only measures
            longest = late
            file.write_text(f"{late:.3f}")  # noqa: ASYNC240
