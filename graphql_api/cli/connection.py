"""How commands reach the database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from graphql_api.cli.failure import CommandError
from graphql_api.settings import Settings
from persistence import migrations
from persistence.engine import Database


@asynccontextmanager
async def database_of(settings: Settings, *, migrated: bool = True) -> AsyncIterator[Database]:
    """The database that the settings name; *migrated* asks that its tables are the ones this code knows.

    Raises:
        CommandError: no database is named, or it needs `taskriver migrate` first.
        Unavailable: it does not answer.
    """
    if settings.database_url is None:
        raise CommandError("DATABASE_URL is not set: where is the database? (`taskriver dev` shows its own.)")
    database = Database(settings.database_url.get_secret_value(), pool_size=2)
    try:
        await database.ping()
        if migrated:
            await _check_migrated(database)
        yield database
    finally:
        await database.close()


async def _check_migrated(database: Database) -> None:
    async with database.connect() as connection:
        if not await migrations.is_current(connection):
            raise CommandError("The database's tables are not those of this version: run `taskriver migrate` first.")
