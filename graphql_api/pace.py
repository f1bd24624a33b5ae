"""Divides the work of one operation among iterations of the event loop, so that other requests do not wait for it."""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

WORK_AT_ONCE: Final = 300
"""The work of an operation in one iteration, in fields. On a slow machine, a field takes 25 microseconds."""


class Pace:
    """The work that an operation has done in this iteration of the event loop.

    Add to `done` after work, and wait for the next iteration if `is_exhausted`.
    """

    def __init__(self) -> None:
        self.done = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._is_scheduled = False
        self._lists = 0

    @property
    def is_exhausted(self) -> bool:
        """Whether no more work should be done in this iteration."""
        return self.done >= WORK_AT_ONCE

    async def wait(self) -> None:
        """Wait until more work may be done."""
        loop = asyncio.get_running_loop()
        while self.done >= WORK_AT_ONCE:
            future = loop.create_future()
            self._waiting.append(future)
            self._schedule(loop)
            await future

    @contextmanager
    def completing_list(self) -> Iterator[None]:
        """Within the block, items of a list are completed, with waits between them."""
        self._lists += 1
        try:
            yield
        finally:
            self._lists -= 1

    async def settled(self) -> None:
        """Wait until no list is partly complete. Then the keys of all its items are known to the loaders."""
        while self._lists or self._waiting:  # noqa: ASYNC110 - there is no event: either may begin and end repeatedly
            await asyncio.sleep(0)

    def _schedule(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._waiting and not self._is_scheduled:
            self._is_scheduled = True
            loop.call_soon(self._next_iteration, loop)

    def _next_iteration(self, loop: asyncio.AbstractEventLoop) -> None:
        """Continue as many waiters as can do something: each does the work of one field at least."""
        self._is_scheduled = False
        self.done = 0
        for _ in range(min(len(self._waiting), WORK_AT_ONCE)):
            future = self._waiting.popleft()
            if not future.done():
                future.set_result(None)
        self._schedule(loop)
