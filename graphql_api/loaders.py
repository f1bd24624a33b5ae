"""Batching of nested fields: new per operation and per event, because a loader that outlives one tells old news."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar
from uuid import UUID

from aiodataloader import DataLoader

from persistence.models import SessionRow, TaskRow, UserRow
from persistence.unit_of_work import UnitOfWork
from services import session as session_service
from services import task as task_service
from services import user as user_service

KeyT = TypeVar("KeyT")
RowT = TypeVar("RowT")


class Loader(DataLoader[KeyT, RowT]):
    """A loader whose answers are shared by fields that do not know of each other.

    A field that cannot be null and fails ends its siblings: the executor cancels them, and who is cancelled cancels
    the future that it awaits. All who ask for a key await the same one, so each gets a future of its own here.
    """

    def load(self, key: KeyT) -> asyncio.Future[RowT]:
        """The row with this key, together with all others that are asked for at this moment."""
        return asyncio.shield(super().load(key))


class Loaders:
    """One batch for all users, tasks or sessions that an operation asks for at the same moment."""

    def __init__(self, unit_of_work: Callable[[], UnitOfWork]) -> None:
        self.users: Loader[UUID, UserRow | None] = _loader(lambda ids: user_service.find_users(unit_of_work(), ids=ids))
        self.tasks: Loader[UUID, TaskRow | None] = _loader(lambda ids: task_service.find_tasks(unit_of_work(), ids=ids))
        self.sessions: Loader[UUID, SessionRow | None] = _loader(lambda _: _own_sessions(unit_of_work()))


async def _own_sessions(uow: UnitOfWork) -> dict[UUID, SessionRow]:
    return {row.id: row for row in await session_service.list_sessions(uow)}


def _loader(find: Callable[[list[UUID]], Awaitable[dict[UUID, RowT]]]) -> Loader[UUID, RowT | None]:
    async def load(ids: list[UUID]) -> list[RowT | None]:
        found = await find(ids)
        return [found.get(each) for each in ids]

    return Loader(load)
