"""What a server looks at before it starts."""

import sys
from datetime import UTC, datetime, timedelta
from typing import Final

from cli.connections import check_sessions_of, database_url_of
from persistence import migrations
from persistence.database import Database
from persistence.diagnostics import look_at_server
from persistence.errors import unavailable
from server.settings import Settings

MOST_CLOCK_DIFFERENCE: Final = timedelta(minutes=1)
NO_TIME_OUTS: Final = (
    "A connection pooler ignores the sessions' settings, so PostgreSQL's own time-outs are not in force: "
    "docs/deployment.md says how to set them for the user."
)


async def check_before_start(settings: Settings) -> None:
    """Warn about a database that a server can start on but not work well with; one that is away may come later.

    Raises:
        CommandError: no server can work with it.
    """
    database = Database(database_url_of(settings), pool_size=1)
    try:
        sessions = await check_sessions_of(database)
        if sessions is not None:
            for warning in await _warnings(database, time_outs=sessions.time_outs):
                print(f"taskriver: {warning}", file=sys.stderr, flush=True)
    finally:
        await database.close()


async def _warnings(database: Database, *, time_outs: bool) -> list[str]:
    try:
        async with database.connect() as connection:
            server = await look_at_server(connection)
            tables = migrations.problem(await migrations.pending(connection))
    except Exception as error:
        if unavailable(error) is None:
            raise
        return []
    found = [tables, _clock(server.clock), None if time_outs else NO_TIME_OUTS]
    return [warning for warning in found if warning is not None]


def _clock(there: datetime) -> str | None:
    ahead = there - datetime.now(UTC)
    if abs(ahead) <= MOST_CLOCK_DIFFERENCE:
        return None
    side = "behind" if ahead > timedelta() else "ahead of"
    return (
        f"This machine's clock is {abs(ahead.total_seconds()):,.0f} s {side} the database's: sessions end at the wrong "
        "time, and there is no clean-up. Let both machines ask the same time server (NTP)."
    )
