"""`taskriver migrate`."""

import asyncio
import sys
from typing import Final

from cli.connections import database_of
from cli.errors import CommandError
from cli.output import AsJSON, examples, print_result
from cli.settings import read_settings
from persistence import migrations
from server.settings import Settings

EXAMPLES: Final = examples("DATABASE_URL=postgresql://taskriver@db/taskriver taskriver migrate")


def migrate(as_json: AsJSON = False) -> None:
    """Apply database migrations.

    Servers of the previous version can keep running: no request waits longer than half a second. The command waits for
    locks for up to MIGRATION_PATIENCE_SECONDS. Several replicas can run it at the same time: one applies the
    migrations, and the others wait. Behind a connection pooler, DATABASE_DIRECT_URL names PostgreSQL itself.
    """
    asyncio.run(_migrate(read_settings()))
    print_result("The database is up to date.", {"migrated": True}, as_json=as_json)


async def _migrate(settings: Settings) -> None:
    async with database_of(settings, migrated=False, no_timeouts=True) as database:
        try:
            await migrations.upgrade(database.engine, lock_timeout=settings.migration_patience_seconds, report=_report)
        except migrations.MigrationError as error:
            raise CommandError(str(error)) from error


def _report(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
