"""Transactions that tests control: rows that are locked or written and not committed, and direct access to tables."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar
from uuid import UUID
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession

from persistence.connecting import create_engine
from persistence.database import Database
from persistence.event_log import EventLog
from persistence.models import Base
from persistence.row_locks import RowLock
from persistence.unit_of_work import UnitOfWork
from persistence.write_set import WriteSet, send

RowT = TypeVar("RowT", bound=Base)


_engines: Final[WeakKeyDictionary[Database, AsyncEngine]] = WeakKeyDictionary()


def kept_engine(database: Database) -> AsyncEngine:
    """An engine for what tests read and write beside the product; it keeps connections until the database is closed.

    The engine of the database opens one for each use, which takes longer than most tests.
    """
    if database not in _engines:
        engine = create_engine(database.engine.url, max_overflow=-1, pool_pre_ping=True)
        _engines[database] = engine

        @event.listens_for(database.engine.sync_engine, "engine_disposed")
        def dispose(_: Engine) -> None:
            engine.sync_engine.dispose()

    return _engines[database]


@asynccontextmanager
async def driver_connection(database: Database) -> AsyncIterator[Any]:
    """A kept connection of the driver, which sends several statements in one message."""
    async with kept_engine(database).connect() as connection:
        yield (await connection.get_raw_connection()).driver_connection


def orm_session(database: Database) -> AsyncSession:
    """A session of SQLAlchemy, as a context manager, on a connection that no other session uses in the meantime."""
    return AsyncSession(kept_engine(database), expire_on_commit=False)


def event_log_on(connection: AsyncConnection) -> EventLog:
    """The event log in the transaction of a connection of SQLAlchemy."""

    async def fetch(text: str, *arguments: object) -> Sequence[Any]:
        result = await connection.exec_driver_sql(text, arguments)
        return result.all() if result.returns_rows else []

    return EventLog(fetch)


async def flush(uow: UnitOfWork) -> None:
    """Write the changes so far, without a commit: other transactions do not see them, and their rows are locked."""
    await uow.transaction.begin()
    await send(uow.transaction, uow.write_set)
    uow.write_set = WriteSet()


async def lock_row(uow: UnitOfWork, model: type[RowT], row_id: UUID) -> RowT:
    """A row, locked in the unit of work's own transaction."""
    row: RowT | None
    [row] = await uow.lock(RowLock(model, row_id))
    assert row is not None
    return row
