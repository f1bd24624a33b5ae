"""How commands reach the database."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import embedded
from domain.errors import Unavailable
from persistence import migrations
from persistence.database import Database
from persistence.session_pooling import PooledSessions, Sessions, check_sessions
from server.errors import CommandError, WrongSetting
from server.settings import Settings

FOLDER: Final = Path(".taskriver")
"""Where `taskriver dev` keeps its servers' data."""

_REASONS: Final = {
    "28": "refuses the user or the password of DATABASE_URL.",
    "3D": "has no database of the name in DATABASE_URL: create it first.",
}
"""By the class of the SQLSTATE (PostgreSQL, appendix A)."""


@asynccontextmanager
async def database_of(settings: Settings, *, migrated: bool = True, patient: bool = False) -> AsyncIterator[Database]:
    """The database that the settings name, else the one of a `taskriver dev` that runs in this folder.

    *migrated* asks that its tables are the ones this code knows; a *patient* one lets transactions take their time.

    Raises:
        WrongSetting: no database is named.
        CommandError: it cannot be reached, or needs `taskriver migrate` first.
    """
    database = Database(database_url_of(settings), pool_size=2, patient=patient)
    try:
        await check_answers(database)
        await check_sessions_of(database)
        if migrated:
            await _check_migrated(database)
        yield database
    finally:
        await database.close()


def database_url_of(settings: Settings) -> str:
    """Where the database is.

    Raises:
        WrongSetting: no database is named, and none of ours runs in this folder.
    """
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    return _here(settings, "DATABASE_URL").database_url


def redis_url_of(settings: Settings) -> str:
    """Where Redis is.

    Raises:
        WrongSetting: none is named, and none of ours runs in this folder.
    """
    if settings.redis_url is not None:
        return settings.redis_url.get_secret_value()
    return _here(settings, "REDIS_URL").redis_url


def _here(settings: Settings, lacking: str) -> embedded.Servers:
    """The servers of a `taskriver dev` that runs in this folder."""
    servers = None if settings.is_production else embedded.found(FOLDER)
    if servers is None:
        raise WrongSetting(f"{lacking} is not set, and no `taskriver dev` runs in this folder.")
    return servers


async def check_answers(database: Database) -> None:
    """See that it can be reached.

    Raises:
        CommandError: it cannot; says where it was looked for, and why not if the server told.
    """
    try:
        await database.ping()
    except Unavailable as error:
        await check_sessions_of(database)
        url = database.engine.url
        place = f"The database server at {url.host or 'localhost'}:{url.port or 5432}"
        raise CommandError(f"{place} {_why_not(error)}") from error


async def check_sessions_of(database: Database) -> Sessions | None:
    """See that each connection is a session of its own; None if the database does not answer.

    Raises:
        CommandError: they are not.
    """
    try:
        return await check_sessions(database.engine.url)
    except PooledSessions as error:
        raise CommandError(str(error)) from error
    except Unavailable:
        return None


def _why_not(error: Unavailable) -> str:
    states = (str(getattr(each, "sqlstate", ""))[:2] for each in _causes(error))
    return next((_REASONS[state] for state in states if state in _REASONS), "does not answer: does it run?")


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause = error.__cause__
    while cause is not None:
        yield cause
        cause = cause.__cause__


async def _check_migrated(database: Database) -> None:
    async with database.connect() as connection:
        problem = migrations.problem(await migrations.pending(connection))
    if problem is not None:
        raise CommandError(problem)
