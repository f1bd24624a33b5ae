"""Alembic's entry point. It uses the given connection, or one from the settings."""

import asyncio

from alembic import context
from sqlalchemy import Connection

from migrations.steps import limit_waits
from persistence.connecting import create_engine
from persistence.models import Base
from server.settings import Settings


def run(connection: Connection) -> None:
    """Run the migrations, each in its own transactions, so that none holds the locks of another."""
    limit_waits(connection)
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_type=True,
        compare_server_default=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def run_from_settings() -> None:
    """Connect with the settings; for the command `alembic` during development."""
    settings = Settings()
    url = settings.database_direct_url or settings.database_url
    if url is None:
        raise SystemExit("Set DATABASE_URL to the database that alembic must use.")
    engine = create_engine(url.get_secret_value(), no_timeouts=True)
    async with engine.connect() as connection:
        await connection.run_sync(run)
        await connection.commit()
    await engine.dispose()


if not context.is_offline_mode():
    given = context.config.attributes.get("connection")
    if given is not None:
        run(given)
    else:
        asyncio.run(run_from_settings())
