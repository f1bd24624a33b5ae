"""Reads the oldest snapshot of the database from time to time, for the metrics."""

import asyncio
from typing import Final

from persistence.database import Database
from persistence.diagnostics import OpenSnapshot, read_oldest_snapshot
from persistence.errors import unavailable
from streaming.asyncio_helpers import run_forever

INTERVAL_SECONDS: Final = 30.0


class OldestSnapshot:
    """The last result. An old snapshot keeps PostgreSQL from removing old row versions."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.found: OpenSnapshot | None = None

    async def watch(self) -> None:
        """Update every 30 seconds, until cancelled."""
        await run_forever(self._step, "reading the oldest snapshot")

    async def update(self) -> None:
        """Read the oldest snapshot now.

        Raises:
            Unavailable: the database does not answer.
        """
        try:
            async with self._database.connect() as connection:
                self.found = await read_oldest_snapshot(connection)
        except Exception as error:
            raise unavailable(error) or error from error

    async def _step(self) -> None:
        await self.update()
        await asyncio.sleep(INTERVAL_SECONDS)

    @property
    def seconds(self) -> float:
        """The age of the snapshot; 0 if there is none, or it is unknown."""
        return (self.found.age_seconds or 0.0) if self.found is not None else 0.0

    @property
    def transactions(self) -> int:
        """How many transactions have started since."""
        return self.found.behind if self.found is not None else 0
