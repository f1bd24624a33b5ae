"""`taskriver cleanup`."""

import asyncio

from graphql_api.cli.connection import database_of
from graphql_api.cli.environment import read_settings
from graphql_api.settings import Settings
from services.cleanup import Removed, clean_up


def cleanup() -> None:
    """Remove expired sessions, used tokens, old keys and events.

    Old are idempotency keys of more than a day and events of more than EVENT_RETENTION_DAYS.
    A server does the same by itself, as CLEANUP_SCHEDULE says.
    """
    removed = asyncio.run(_cleanup(read_settings()))
    if removed is None:
        print("Another process is cleaning up already.")
    else:
        print(
            f"Removed {removed.sessions} expired sessions with their tokens, {removed.keys} idempotency keys, "
            f"{removed.events} old events."
        )


async def _cleanup(settings: Settings) -> Removed | None:
    async with database_of(settings) as database:
        return await clean_up(database.unit_of_work(None), event_retention=settings.event_retention)
