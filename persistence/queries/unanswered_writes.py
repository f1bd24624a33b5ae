"""Writes that the server has not answered in time."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final

from domain.errors import Unavailable

KEEP_SECONDS: Final = 60.0
"""How long the connection of an unanswered write stays open."""
PROBE_SECONDS: Final = 1.0
"""The least time between two questions to the server while writes are refused."""
WAITING_COMMITS: Final = (
    "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'SyncRep'"
    " AND query_start < clock_timestamp() - interval '1 second')"
)
"""Whether a commit has waited for a synchronous standby for more than a second."""

REFUSED: Final = "The database does not confirm changes at the moment; reading works. Try again later."

IsWaiting = Callable[[], Awaitable[bool]]


class UnansweredWrites:
    """Keeps the connections of unanswered writes, and refuses further writes from *limit* connections on.

    A commit that waits for a synchronous standby holds a process of the server until the standby answers, also after
    its client has closed the connection. So each further write would hold another one. Writes are accepted again when
    the server answers one of them, or says that no commit waits any more, for example because it is another server. The
    end of a connection is no answer: something between may have closed it.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._timers: dict[Any, asyncio.TimerHandle] = {}
        self.refuses = False
        """Whether writes are refused, unless the server says that no commit waits."""
        self._asks_from = 0.0

    def __len__(self) -> int:
        return len(self._timers)

    def keep(self, connection: Any) -> None:
        """Keep a connection whose write is not answered. It is closed at the answer, or after `KEEP_SECONDS`."""
        loop = asyncio.get_running_loop()
        self._timers[connection] = loop.call_later(KEEP_SECONDS, self._close, connection)
        self.refuses = self.refuses or len(self) >= self._limit
        self._asks_from = max(self._asks_from, loop.time() + PROBE_SECONDS)
        connection.answered.add_done_callback(partial(self._answered, connection))

    async def check(self, is_waiting: IsWaiting) -> None:
        """Check that a write may start. *is_waiting* asks the server whether commits wait.

        Raises:
            Unavailable: it may not.
        """
        if not self.refuses:
            return
        now = asyncio.get_running_loop().time()
        if now >= self._asks_from:
            self._asks_from = now + PROBE_SECONDS
            if not await is_waiting():
                self.close()
                return
        raise Unavailable(REFUSED)

    def close(self) -> None:
        """Close all connections, and accept writes again."""
        for connection in tuple(self._timers):
            self._close(connection)
        self.refuses = False

    def _answered(self, connection: Any, _: "asyncio.Future[None]") -> None:
        if connection in self._timers:
            self.refuses = self.refuses and connection.is_closed()
            self._close(connection)

    def _close(self, connection: Any) -> None:
        timer = self._timers.pop(connection, None)
        if timer is not None:
            timer.cancel()
            connection.terminate()
