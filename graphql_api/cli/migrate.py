"""`taskriver migrate`."""

import asyncio

from graphql_api.cli.connection import database_of
from graphql_api.settings import Settings
from persistence import migrations


def migrate() -> None:
    """Bring the database to this version's tables; safe to run from many replicas at the same time."""
    asyncio.run(_migrate(Settings()))
    print("The database is up to date.")


async def _migrate(settings: Settings) -> None:
    async with database_of(settings, migrated=False) as database:
        await migrations.upgrade(database.engine)
