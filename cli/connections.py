"""The database and the Redis that a command uses."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import embedded
from cli.errors import CommandError
from domain.errors import Unavailable
from persistence.database import Database
from persistence.schema_check import pending, problem
from persistence.session_pooling import PooledSessions, SessionTimeouts, check_sessions
from server.errors import WrongSetting
from server.settings import Settings

FOLDER: Final = Path(".taskriver")
"""The folder in which `taskriver dev` stores the data of its servers."""

_REASONS: Final = {
    "28": "rejects the user or the password of DATABASE_URL.",
    "3D": "does not have the database that DATABASE_URL names: create it first.",
}
"""Messages by the class of the SQLSTATE (PostgreSQL, appendix A)."""


@asynccontextmanager
async def database_of(
    settings: Settings, *, migrated: bool = True, no_timeouts: bool = False
) -> AsyncIterator[Database]:
    """The database of the settings, else the database of a `taskriver dev` that runs in this folder.

    With *migrated* its tables must be those of this version. With *no_timeouts* there is no limit for transactions.

    Raises:
        WrongSetting: no database is named.
        CommandError: the database cannot be reached, or `taskriver migrate` must run first.
    """
    database = Database(
        database_url_of(settings), pool_size=2, no_timeouts=no_timeouts, keeps_deleted_tasks=settings.trash_days > 0
    )
    try:
        await check_reachable(database)
        await check_sessions_of(database)
        if migrated:
            await _check_migrated(database)
        yield database
    finally:
        await database.close()


def database_url_of(settings: Settings) -> str:
    """The URL of the database.

    Raises:
        WrongSetting: the settings name no database, and no `taskriver dev` runs in this folder.
    """
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    return _dev_servers(settings, "DATABASE_URL").database_url


def redis_url_of(settings: Settings) -> str:
    """The URL of Redis.

    Raises:
        WrongSetting: the settings name no Redis, and no `taskriver dev` runs in this folder.
    """
    if settings.redis_url is not None:
        return settings.redis_url.get_secret_value()
    return _dev_servers(settings, "REDIS_URL").redis_url


def _dev_servers(settings: Settings, missing: str) -> embedded.Servers:
    """The servers of a `taskriver dev` that runs in this folder."""
    servers = None if settings.is_production else embedded.found(FOLDER)
    if servers is None:
        raise WrongSetting(f"{missing} is not set, and no `taskriver dev` runs in this folder.")
    return servers


async def check_reachable(database: Database) -> None:
    """Check that the database can be reached.

    Raises:
        CommandError: it cannot; the message has the address, and the reason if the server gave one.
    """
    try:
        await database.ping()
    except Unavailable as error:
        await check_sessions_of(database)
        url = database.engine.url
        server = f"The database server at {url.host or 'localhost'}:{url.port or 5432}"
        raise CommandError(f"{server} {_reason(error)}") from error


async def check_sessions_of(database: Database) -> SessionTimeouts | None:
    """Check that each connection has its own session; None if the database does not answer.

    Raises:
        CommandError: connections share sessions, because of a pooler.
    """
    try:
        return await check_sessions(database.engine.url)
    except PooledSessions as error:
        raise CommandError(str(error)) from error
    except Unavailable:
        return None


def _reason(error: Unavailable) -> str:
    states = (str(getattr(each, "sqlstate", ""))[:2] for each in _causes(error))
    return next(
        (_REASONS[state] for state in states if state in _REASONS), "does not answer: check that it is running."
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause = error.__cause__
    while cause is not None:
        yield cause
        cause = cause.__cause__


async def _check_migrated(database: Database) -> None:
    async with database.connect() as connection:
        found = problem(await pending(connection))
    if found is not None:
        raise CommandError(found)
