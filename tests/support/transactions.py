"""Transactions that tests control: rows that are locked or written and not committed, and direct access to tables."""

from collections.abc import Sequence
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from persistence.database import Database
from persistence.event_log import EventLog
from persistence.models import Base
from persistence.repositories.rows import RowRepository
from persistence.unit_of_work import UnitOfWork
from persistence.write_set import WriteSet, send

RowT = TypeVar("RowT", bound=Base)


def orm_session(database: Database) -> AsyncSession:
    """A session of SQLAlchemy, as a context manager. Each opens a connection of its own."""
    return AsyncSession(database.engine, expire_on_commit=False)


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


async def lock_row(uow: UnitOfWork, repository: RowRepository[RowT], row_id: UUID) -> RowT:
    """A row, locked in the unit of work's own transaction.

    Raises:
        NotFound: the actor may see no such row.
    """
    [row] = await uow.lock(repository.lock_of(row_id))
    return repository.existing(row)
