"""Bringing a database to the newest migration, also while servers use it and other replicas try the same."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionError
from sqlalchemy import Connection, NullPool, func, inspect, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

import migrations
from persistence.database import create_engine
from persistence.errors import is_retryable, server_message, sqlstate
from persistence.locks import lock_holders
from persistence.models import Base

PATIENCE_SECONDS: Final = 300.0
_LOCK = 0x7A5C_21BE  # any constant: the process that migrates this schema holds it
_POLL_SECONDS = 0.1
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 5.0
_LOCK_NOT_AVAILABLE: Final = "55P03"
_DEADLOCK: Final = "40P01"

Report = Callable[[str], None]
Run = Callable[[Config], None]


class MigrationError(Exception):
    """Why the tables could not be changed, and what to do about it, in one line."""


async def upgrade(
    engine: AsyncEngine,
    revision: str = "head",
    *,
    patience: float = PATIENCE_SECONDS,
    report: Report = lambda line: None,
) -> None:
    """Apply the migrations up to *revision*; waits while another process does.

    *patience* is how many seconds it waits for locks that others hold, in total; it never holds up other requests for
    longer than `migrations.steps.LOCK_WAIT_MILLISECONDS` at a time. *report* is called with lines about its progress.

    Raises:
        MigrationError: the tables are newer than this code, the locks were not to be had, or the server refused.
    """
    await _migrate(engine, lambda config: command.upgrade(config, revision), patience, report)


async def downgrade(engine: AsyncEngine, revision: str) -> None:
    """Take the migrations behind *revision* back ("base" = all).

    Raises:
        MigrationError: as `upgrade`.
    """
    await _migrate(engine, lambda config: command.downgrade(config, revision), PATIENCE_SECONDS, lambda line: None)


async def is_current(connection: AsyncConnection) -> bool:
    """Whether the database is at the newest migration that this code knows."""
    return await pending(connection) == 0


async def pending(connection: AsyncConnection) -> int | None:
    """How many migrations the database lacks; None if it is at one that this code does not know."""
    revision, script = await connection.run_sync(_revision), _script()
    try:
        return len(list(script.iterate_revisions("head", revision or "base")))
    except RevisionError:
        return None


def problem(lacking: int | None) -> str | None:
    """What is wrong with the tables if so many migrations are lacking, see `pending`; None if nothing is."""
    if lacking is None:
        return "The database's tables are newer than this version of Taskriver: install the newer version."
    return "The database's tables are older than this version: run `taskriver migrate`." if lacking else None


async def differences(connection: AsyncConnection) -> list[object]:
    """What autogenerate would still change to make the database match the models; empty when they agree."""
    return await connection.run_sync(_differences)


async def _migrate(engine: AsyncEngine, run: Run, patience: float, report: Report) -> None:
    """Run the migrations over a connection of their own; the lock ends with it, however it ends."""
    patient = create_engine(engine.url, patient=True, poolclass=NullPool)
    async with patient.connect() as connection:
        await _take_turn(connection, report)
        if (newer := await pending(connection)) is None:
            raise MigrationError(problem(newer))
        await connection.commit()
        await _until_locks_are_free(connection, run, patience, report)


async def _take_turn(connection: AsyncConnection, report: Report) -> None:
    # It asks again and again: one that waits inside a statement has a snapshot, and an index that is built
    # concurrently waits for that.
    reported = False
    while not await connection.scalar(select(func.pg_try_advisory_lock(_LOCK))):
        await connection.commit()
        if not reported:
            report("Another process is migrating this database: waiting until it has finished.")
            reported = True
        await asyncio.sleep(_POLL_SECONDS)
    await connection.commit()


async def _until_locks_are_free(connection: AsyncConnection, run: Run, patience: float, report: Report) -> None:
    """Run the migrations, again if others hold the locks that they need: no longer than *patience* in total."""
    loop, pause = asyncio.get_running_loop(), _FIRST_PAUSE_SECONDS
    waiting_until: float | None = None
    while not await _attempt(connection, run):
        holders = await lock_holders(connection)
        await connection.rollback()
        waiting_until = waiting_until or loop.time() + patience
        if loop.time() + pause > waiting_until:
            raise MigrationError(_given_up(holders, patience))
        report(f"Waiting for locks on tables that are in use; {holders or 'their holder has gone'}.")
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)


def _given_up(holders: str, patience: float) -> str:
    return (
        f"The locks on the tables were not to be had within {patience:.0f} s; {holders or 'their holder has gone'}. "
        "End that transaction, with SELECT pg_terminate_backend(pid) if need be, and run `taskriver migrate` again: "
        "it goes on where it stopped."
    )


async def _attempt(connection: AsyncConnection, run: Run) -> bool:
    """Run the migrations that are left; False if others hold the locks that they need.

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
        return "The connection to the database broke: run `taskriver migrate` again; it goes on where it stopped."
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


def _script() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return MigrationContext.configure(connection).get_current_revision()


def _differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    return list(compare_metadata(context, Base.metadata))
