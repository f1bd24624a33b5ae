"""Continues deletions of users: those with many tasks, and those whose process has ended."""

import asyncio
from typing import Final

from domain.errors import Unavailable
from persistence.database import Database
from services.user_deletion import continue_deletions
from streaming.asyncio_helpers import run_forever

INTERVAL_SECONDS: Final = 5.0


async def continue_user_deletions(database: Database) -> None:
    """Look for unfinished deletions every few seconds, and continue them. Runs until cancelled."""

    async def once() -> None:
        await asyncio.sleep(INTERVAL_SECONDS)
        try:
            await continue_deletions(database.unit_of_work)
        except Unavailable:
            return  # the database is away: the next attempt follows

    await run_forever(once, "continuing deletions of users")
