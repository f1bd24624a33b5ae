"""The database and the Redis that a command uses."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import embedded
from cli.errors import CommandError
from domain.errors import Unavailable
from persistence.address import shown_hosts
from persistence.database import Database
from persistence.errors import is_no_primary
from persistence.pooler import Pooler
from persistence.schema_check import pending, problem
from persistence.session_pooling import PooledSessions, Sessions, check_sessions
from server.errors import WrongSetting
from server.settings import Settings

DIRECT_MISSING: Final = (
    "DATABASE_DIRECT_URL must be set: DATABASE_URL leads to a connection pooler (DATABASE_POOLER), and this command "
    "needs a session of its own and statements without a time-out."
)
DIRECT_POOLED: Final = "DATABASE_DIRECT_URL must lead to PostgreSQL, and not to a connection pooler."
FOLDER: Final = Path(".taskriver")
"""The folder in which `taskriver dev` stores the data of its servers."""

URL: Final = "DATABASE_URL"
DIRECT_URL: Final = "DATABASE_DIRECT_URL"

_REASONS: Final = {
    "28": "rejects the user or the password of {}.",
    "3D": "does not have the database that {} names: create it first.",
}
"""Messages by the class of the SQLSTATE (PostgreSQL, appendix A)."""


@asynccontextmanager
async def database_of(
    settings: Settings, *, migrated: bool = True, no_timeouts: bool = False
) -> AsyncIterator[Database]:
    """The database of the settings, else the database of a `taskriver dev` that runs in this folder.

    With *migrated* its tables must be those of this version. With *no_timeouts* there is no limit for transactions, and
    the connection does not lead through a pooler, see `direct_url_of`.

    Raises:
        WrongSetting: no database is named, or none without a pooler.
        CommandError: the database cannot be reached, or `taskriver migrate` must run first.
    """
    pooler = Pooler.NONE if no_timeouts else settings.database_pooler
    setting = DIRECT_URL if no_timeouts and settings.database_direct_url is not None else URL
    database = Database(
        direct_url_of(settings) if no_timeouts else database_url_of(settings),
        pool_size=2,
        no_timeouts=no_timeouts,
        pooler=pooler,
        keeps_deleted_tasks=settings.trash_days > 0,
    )
    try:
        await check_reachable(database, pooler, setting)
        await check_sessions_of(database, pooler, setting)
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
    return _dev_servers(settings, URL).database_url


def direct_url_of(settings: Settings) -> str:
    """The URL of the database for migrations and long statements: DATABASE_DIRECT_URL, else DATABASE_URL.

    Raises:
        WrongSetting: there is only a URL that leads to a pooler, or none at all.
    """
    if settings.database_direct_url is not None:
        return settings.database_direct_url.get_secret_value()
    if settings.database_pooler is not Pooler.NONE:
        raise WrongSetting(DIRECT_MISSING)
    return database_url_of(settings)


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


async def check_reachable(database: Database, pooler: Pooler = Pooler.NONE, setting: str = URL) -> None:
    """Check that the database can be reached. *setting* has its URL.

    Raises:
        CommandError: it cannot; the message has the address, and the reason if the server gave one.
    """
    try:
        await database.ping()
    except Unavailable as error:
        await check_sessions_of(database, pooler, setting)
        server = f"The database server at {shown_hosts(database.engine.url)}"
        raise CommandError(f"{server} {_reason(error, setting)}") from error


async def check_sessions_of(database: Database, pooler: Pooler = Pooler.NONE, setting: str = URL) -> Sessions | None:
    """Check that the sessions are as *pooler* says; None if the database does not answer. *setting* has its URL.

    Raises:
        CommandError: they are not.
    """
    try:
        return await check_sessions(database.engine.url, pooler)
    except PooledSessions as error:
        raise CommandError(DIRECT_POOLED if setting == DIRECT_URL else str(error)) from error
    except Unavailable:
        return None


def _reason(error: Unavailable, setting: str) -> str:
    if any(map(is_no_primary, _causes(error))):
        return "is no primary: name all hosts, or wait until one is promoted."
    states = (str(getattr(each, "sqlstate", ""))[:2] for each in _causes(error))
    return next(
        (_REASONS[state].format(setting) for state in states if state in _REASONS),
        "does not answer: check that it is running.",
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
