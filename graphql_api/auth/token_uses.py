"""Notes which personal access tokens were used, so that it can be stored outside of requests."""

import time
from collections.abc import Callable, Iterable
from typing import Final
from uuid import UUID

from streaming.asyncio_helpers import WakeEvent

INTERVAL_SECONDS: Final = 600.0
"""A process stores the use of a token at most once in this time."""
MAX_NOTED: Final = 10_000


class TokenUses:
    """The tokens whose use is to be stored. A token is among them at most once in ten minutes.

    It remembers the last *max_noted* tokens; the use of others is stored more often.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, *, max_noted: int = MAX_NOTED) -> None:
        self._clock = clock
        self._max_noted = max_noted
        self._noted: dict[UUID, float] = {}
        self._waiting: set[UUID] = set()
        self._wake = WakeEvent()

    def note(self, token_id: UUID) -> None:
        """Note that a token is used now."""
        now, last = self._clock(), self._noted.get(token_id)
        if last is not None and now - last < INTERVAL_SECONDS:
            return
        self._noted.pop(token_id, None)
        self._noted[token_id] = now
        if len(self._noted) > self._max_noted:
            del self._noted[next(iter(self._noted))]
        self._waiting.add(token_id)
        self._wake.set()

    def take(self) -> list[UUID]:
        """The tokens whose use is to be stored now."""
        found, self._waiting = sorted(self._waiting), set()
        return found

    def put_back(self, token_ids: Iterable[UUID]) -> None:
        """Let `take` return these again, because they could not be stored."""
        self._waiting.update(token_ids)

    async def wait(self) -> None:
        """Wait until there are some."""
        while not self._waiting:
            self._wake.clear()
            await self._wake.wait()
