"""Reading back what happened, for those who missed it: from memory if it is fresh, from the table if it is not."""

import asyncio
import logging
from typing import Final

from domain.errors import Unavailable
from domain.events import LoggedEvent
from graphql_api.realtime.counters import Counters
from graphql_api.realtime.forever import Backoff
from graphql_api.realtime.recent import Recent
from persistence.engine import Database

PAGE: Final = 200
READERS: Final = 2
"""At a time, so that a crowd which comes back leaves connections to numbering and to the sweep."""

_log: Final = logging.getLogger("taskriver.stream")


class History:
    """Pages of the log."""

    def __init__(self, database: Database, counters: Counters) -> None:
        self._database = database
        self._counters = counters
        self._readers = asyncio.Semaphore(READERS)
        self.recent = Recent()

    async def page(self, position: int) -> list[LoggedEvent]:
        """Up to 200 events behind a position, in order. While the database is away this waits, however long."""
        self._counters.replays += 1
        return self.recent.after(position, PAGE) or await self._stored(position)

    async def _stored(self, position: int) -> list[LoggedEvent]:
        backoff = Backoff()
        while True:
            try:
                return await self._read(position)
            except Unavailable:
                pass  # the sweep says so, once for everybody
            except Exception:
                _log.exception("reading the log back failed, and is tried again")
            await backoff.pause()

    async def _read(self, position: int) -> list[LoggedEvent]:
        async with self._readers, self._database.log() as log:
            return await log.after(position, at_most=PAGE)
