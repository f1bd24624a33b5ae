"""`taskriver migrate`."""

import asyncio
from typing import Final

from graphql_api.cli.connection import database_of
from graphql_api.cli.environment import read_settings
from graphql_api.cli.output import AsJSON, answer, examples
from graphql_api.settings import Settings
from persistence import migrations

EXAMPLES: Final = examples("DATABASE_URL=postgresql://taskriver@db/taskriver taskriver migrate")


def migrate(as_json: AsJSON = False) -> None:
    """Bring the database to this version's tables.

    Many replicas may do so at the same time: one works, the others wait for it.
    """
    asyncio.run(_migrate(read_settings()))
    answer("The database is up to date.", {"migrated": True}, as_json=as_json)


async def _migrate(settings: Settings) -> None:
    async with database_of(settings, migrated=False) as database:
        await migrations.upgrade(database.engine)
