"""Taking turns: many are woken, and run a few at a time."""

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Final

AT_A_TIME: Final = 32
"""So many run before everything else in this process gets its turn."""


class Turns:
    """Calls what wakes somebody, in order, and lets the loop go round between every few.

    Thousands who are woken at once keep the loop for as long as all of them take: the log is not looked at meanwhile,
    the lease runs out, and when it is renewed thousands wait for it again. Those who come first also find out what
    the others then only have to pick up.
    """

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()
        self._has_begun = False

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, wake: Callable[[], None]) -> None:
        """Have it called when it is its turn; returns at once."""
        self._waiting.append(wake)
        self._go_on()

    async def take(self) -> None:
        """Wait for one's own turn."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.add(partial(_begin, turn))
        await turn

    def _go_on(self) -> None:
        if self._waiting and not self._has_begun:
            self._has_begun = True
            asyncio.get_running_loop().call_soon(self._some)

    def _some(self) -> None:
        self._has_begun = False
        try:
            for _ in range(min(AT_A_TIME, len(self._waiting))):
                self._waiting.popleft()()
        finally:
            self._go_on()


def _begin(turn: asyncio.Future[None]) -> None:
    if not turn.done():
        turn.set_result(None)
