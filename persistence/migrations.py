"""Bringing a database to the newest migration, however many replicas try at the same time."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionError
from sqlalchemy import Connection, NullPool, func, inspect, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

import migrations
from persistence.engine import create_engine
from persistence.models import Base

_LOCK = 0x7A5C_21BE  # any constant: whoever migrates this schema holds it
_POLL_SECONDS = 0.1


async def upgrade(engine: AsyncEngine, revision: str = "head") -> None:
    """Apply the migrations up to *revision*; waits while another process does."""
    await _migrate(engine, lambda config: command.upgrade(config, revision))


async def downgrade(engine: AsyncEngine, revision: str) -> None:
    """Take the migrations behind *revision* back ("base" = all)."""
    await _migrate(engine, lambda config: command.downgrade(config, revision))


async def is_current(connection: AsyncConnection) -> bool:
    """Whether the database is at the newest migration that this code knows."""
    return await connection.run_sync(_revision) == _script().get_current_head()


async def pending(connection: AsyncConnection) -> int | None:
    """How many migrations the database lacks; None if it is at one that this code does not know."""
    revision, script = await connection.run_sync(_revision), _script()
    try:
        return len(list(script.iterate_revisions("head", revision or "base")))
    except RevisionError:
        return None


async def differences(connection: AsyncConnection) -> list[object]:
    """What autogenerate would still change to make the database match the models; empty when they agree."""
    return await connection.run_sync(_differences)


async def _migrate(engine: AsyncEngine, run: Callable[[Config], None]) -> None:
    """Run the migrations over a connection of their own; the lock ends with it, however it ends."""
    patient = create_engine(engine.url, patient=True, poolclass=NullPool)
    async with patient.connect() as connection:
        await _take_turn(connection)
        await connection.run_sync(_run, run)
        await connection.commit()


async def _take_turn(connection: AsyncConnection) -> None:
    # Asking again and again, since one that waits inside a statement would keep an index from being built
    # concurrently: that waits for every older snapshot, this one's included.
    while not await connection.scalar(select(func.pg_try_advisory_lock(_LOCK))):
        await connection.commit()
        await asyncio.sleep(_POLL_SECONDS)
    await connection.commit()


def _run(connection: Connection, run: Callable[[Config], None]) -> None:
    config = _config()
    config.attributes["connection"] = connection
    run(config)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _script() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return MigrationContext.configure(connection).get_current_revision()


def _differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    return list(compare_metadata(context, Base.metadata))
