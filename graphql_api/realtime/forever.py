"""Loops that outlive whatever is raised in them, and do not spin."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from domain.errors import Unavailable

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 1.0

_log: Final = logging.getLogger("taskriver.stream")


class Backoff:
    """Growing pauses between attempts, in seconds: from 0.1, doubled, up to *longest*."""

    def __init__(self, longest: float = LONGEST_PAUSE) -> None:
        self._longest = longest
        self._next = FIRST_PAUSE

    def reset(self) -> None:
        """It worked: begin with the shortest pause the next time."""
        self._next = FIRST_PAUSE

    async def pause(self) -> None:
        """Wait before the next attempt."""
        pause, self._next = self._next, min(2 * self._next, self._longest)
        await asyncio.sleep(pause)


async def forever(step: Callable[[], Awaitable[None]], what: str) -> None:
    """Repeat *step*; when it fails, say so, once per outage if it is the database, and pause before going on."""
    backoff, down = Backoff(), False
    while True:
        try:
            await step()
        except Unavailable as error:
            if not down:
                _log.warning("%s: %s", what, error.message)
            down = True
            await backoff.pause()
        except Exception:
            _log.exception("%s failed, and goes on", what)
            await backoff.pause()
        else:
            if down:
                _log.warning("%s: works again", what)
            down = False
            backoff.reset()
