"""Looks now and then at the oldest snapshot of the database, for the metrics."""

import asyncio
from typing import Final

from persistence.database import Database
from persistence.diagnostics import Snapshot, look_at_snapshots
from persistence.errors import unavailable
from streaming.asyncio_helpers import run_forever

INTERVAL_SECONDS: Final = 30.0


class OldestSnapshot:
    """What was seen last: an old snapshot keeps PostgreSQL from removing old versions of rows."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.found: Snapshot | None = None

    async def watch(self) -> None:
        """Look every half minute, until cancelled."""
        await run_forever(self._step, "looking for old snapshots")

    async def look(self) -> None:
        """Look now.

        Raises:
            Unavailable: the database does not answer.
        """
        try:
            async with self._database.connect() as connection:
                self.found = await look_at_snapshots(connection)
        except Exception as error:
            raise unavailable(error) or error from error

    async def _step(self) -> None:
        await self.look()
        await asyncio.sleep(INTERVAL_SECONDS)

    @property
    def seconds(self) -> float:
        """How old it is; 0 if there is none, or the server does not tell."""
        return (self.found.age_seconds or 0.0) if self.found is not None else 0.0

    @property
    def transactions(self) -> int:
        """How many transactions were begun since."""
        return self.found.behind if self.found is not None else 0
