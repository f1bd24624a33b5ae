"""`taskriver migrate`."""

import asyncio

from graphql_api.cli.connection import database_of
from graphql_api.cli.environment import read_settings
from graphql_api.settings import Settings
from persistence import migrations


def migrate() -> None:
    """Bring the database to this version's tables.

    Many replicas may do so at the same time: one works, the others wait for it.
    """
    asyncio.run(_migrate(read_settings()))
    print("The database is up to date.")


async def _migrate(settings: Settings) -> None:
    async with database_of(settings, migrated=False) as database:
        await migrations.upgrade(database.engine)
