"""Checks before a server starts."""

import sys
from datetime import UTC, datetime, timedelta
from typing import Final

from cli.connections import check_sessions_of, database_url_of
from persistence.database import Database
from persistence.diagnostics import read_server_status
from persistence.errors import unavailable
from persistence.schema_check import pending, problem
from persistence.session_pooling import Sessions
from server.settings import Settings
from services.cleanup import MAX_CLOCK_DIFFERENCE

NO_TIME_OUTS: Final = "PostgreSQL's time-outs are not set for the database user. Run:"


async def check_before_start(settings: Settings) -> None:
    """Print a warning about each problem of the database that does not prevent the start. It may also be down still.

    Raises:
        CommandError: a server cannot use this database.
    """
    database = Database(database_url_of(settings), pool_size=1, pooler=settings.database_pooler)
    try:
        sessions = await check_sessions_of(database, settings.database_pooler)
        if sessions is not None:
            for warning in await _warnings(database, sessions):
                print(f"taskriver: {warning}", file=sys.stderr, flush=True)
    finally:
        await database.close()


async def _warnings(database: Database, sessions: Sessions) -> list[str]:
    try:
        async with database.connect() as connection:
            server = await read_server_status(connection)
            tables = problem(await pending(connection))
    except Exception as error:
        if unavailable(error) is None:
            raise
        return []
    found = [tables, _clock(server.clock), " ".join((NO_TIME_OUTS, *sessions.missing)) if sessions.missing else None]
    return [warning for warning in found if warning is not None]


def _clock(there: datetime) -> str | None:
    ahead = there - datetime.now(UTC)
    if abs(ahead) <= MAX_CLOCK_DIFFERENCE:
        return None
    side = "behind" if ahead > timedelta() else "ahead of"
    return (
        f"This machine's clock is {abs(ahead.total_seconds()):,.0f} s {side} the database's clock: sessions end at the "
        "wrong time, and the clean-up does not run. Configure the same time server (NTP) on both machines."
    )
