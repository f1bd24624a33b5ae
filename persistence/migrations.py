"""Applies migrations, also while servers use the database and other replicas run the same command."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, NullPool, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

import migrations
from persistence.connecting import create_engine
from persistence.errors import is_retryable, server_message, sqlstate
from persistence.locks import lock_holders
from persistence.models import Base
from persistence.schema_check import pending, problem

LOCK_TIMEOUT_SECONDS: Final = 300.0
_LOCK = 0x7A5C_21BE  # any constant: the process that migrates this schema holds it
_POLL_SECONDS = 0.1
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 5.0
_LOCK_NOT_AVAILABLE: Final = "55P03"
_DEADLOCK: Final = "40P01"

Report = Callable[[str], None]
Run = Callable[[Config], None]


class MigrationError(Exception):
    """A migration failed; the text has the reason and what to do."""


async def upgrade(
    engine: AsyncEngine,
    revision: str = "head",
    *,
    lock_timeout: float = LOCK_TIMEOUT_SECONDS,
    report: Report = lambda line: None,
) -> None:
    """Apply the migrations up to *revision*; waits while another process migrates.

    *lock_timeout* is the total time in seconds that it waits for locks of other transactions. It never blocks other
    requests for longer than `migrations.steps.LOCK_WAIT_MILLISECONDS` at a time. *report* is called with lines about
    the progress.

    Raises:
        MigrationError: the tables are newer than this code, the locks were not available, or the server refused.
    """
    await _migrate(engine, lambda config: command.upgrade(config, revision), lock_timeout, report)


async def downgrade(engine: AsyncEngine, revision: str) -> None:
    """Revert the migrations after *revision* ("base" = all).

    Raises:
        MigrationError: as `upgrade`.
    """
    await _migrate(engine, lambda config: command.downgrade(config, revision), LOCK_TIMEOUT_SECONDS, lambda line: None)


async def differences(connection: AsyncConnection) -> list[object]:
    """The changes that Alembic's autogenerate proposes; empty if the database matches the models."""
    return await connection.run_sync(_differences)


async def _migrate(engine: AsyncEngine, run: Run, lock_timeout: float, report: Report) -> None:
    """Run the migrations on a separate connection. The advisory lock is released when the connection is closed."""
    migration_engine = create_engine(engine.url, no_timeouts=True, poolclass=NullPool)
    async with migration_engine.connect() as connection:
        await _acquire_lock(connection, report)
        if (newer := await pending(connection)) is None:
            raise MigrationError(problem(newer))
        await connection.commit()
        await _until_locks_are_free(connection, run, lock_timeout, report)


async def _acquire_lock(connection: AsyncConnection, report: Report) -> None:
    # It polls: a connection that waits inside a statement has a snapshot, and CREATE INDEX CONCURRENTLY would wait for
    # this snapshot.
    reported = False
    while not await connection.scalar(select(func.pg_try_advisory_lock(_LOCK))):
        await connection.commit()
        if not reported:
            report("Another process is migrating this database. Waiting until it has finished.")
            reported = True
        await asyncio.sleep(_POLL_SECONDS)
    await connection.commit()


async def _until_locks_are_free(connection: AsyncConnection, run: Run, lock_timeout: float, report: Report) -> None:
    """Run the migrations; retry while other transactions hold the necessary locks, for *lock_timeout* in total."""
    loop, pause = asyncio.get_running_loop(), _FIRST_PAUSE_SECONDS
    waiting_until: float | None = None
    while not await _attempt(connection, run):
        holders = await lock_holders(connection)
        await connection.rollback()
        waiting_until = waiting_until or loop.time() + lock_timeout
        if loop.time() + pause > waiting_until:
            raise MigrationError(_given_up(holders, lock_timeout))
        report(f"Waiting for locks on tables: {holders or 'the holder has just ended'}.")
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)


def _given_up(holders: str, lock_timeout: float) -> str:
    return (
        f"The tables could not be locked within {lock_timeout:.0f} s: {holders or 'the holder has just ended'}. "
        "End that transaction, if necessary with SELECT pg_terminate_backend(pid), and run `taskriver migrate` again: "
        "it continues where it stopped."
    )


async def _attempt(connection: AsyncConnection, run: Run) -> bool:
    """Run the remaining migrations; False if other transactions hold the necessary locks.

    Raises:
        MigrationError: the server refused for another reason.
    """
    try:
        await connection.run_sync(_run, run)
        await connection.commit()
    except DBAPIError as error:
        if sqlstate(error) in {_LOCK_NOT_AVAILABLE, _DEADLOCK}:
            await connection.rollback()
            return False
        raise MigrationError(_refused(error)) from error
    return True


def _refused(error: DBAPIError) -> str:
    if error.connection_invalidated or (is_retryable(error.orig) and not sqlstate(error)):
        return "The connection to the database broke: run `taskriver migrate` again; it continues where it stopped."
    return f"The database refused a migration: {server_message(error)}."


def _run(connection: Connection, run: Run) -> None:
    config = _config()
    config.attributes["connection"] = connection
    run(config)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    return list(compare_metadata(context, Base.metadata))
