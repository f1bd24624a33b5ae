"""Data loaders, which read the rows for nested fields in batches.

Loaders cache what they read. So every operation, and every event of a subscription, gets new ones.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from aiodataloader import DataLoader

from domain.actor import Actor
from persistence.models import UserRow
from persistence.queries import user as reads
from persistence.queries.query import Query
from persistence.repositories.rows import RowT
from persistence.unit_of_work import UnitOfWork
from services.reading import read_rows

KeyT = TypeVar("KeyT")
ValueT = TypeVar("ValueT")


class Loader(DataLoader[KeyT, ValueT]):
    """A data loader that several fields can await independently.

    If a non-null field fails, the executor cancels the fields beside it. Cancelling a task also cancels the future
    that it awaits. `DataLoader` gives the same future to all callers with the same key, so this class gives each
    caller a separate one.
    """

    def load(self, key: KeyT) -> asyncio.Future[ValueT]:
        """Load the row with this key, in one batch with the other keys that are requested at this moment."""
        return asyncio.shield(super().load(key))


Ask = Callable[[Actor | None, list[UUID]], Query]
"""Makes the query for the rows with these ids that the actor may see. It may find more rows."""


def users_by_id(_: Actor | None, ids: list[UUID]) -> Query:
    """The query for users. Every user may see them."""
    return reads.users(ids)


class Loaders:
    """The loaders of one operation or of one subscription event."""

    def __init__(self, unit_of_work: Callable[[], UnitOfWork], actor: Actor | None) -> None:
        self._unit_of_work = unit_of_work
        self._actor = actor
        self._loaders: dict[Ask, Loader[UUID, Any]] = {}

    @property
    def users(self) -> Loader[UUID, UserRow | None]:
        """The loader of users."""
        return self.by_id(UserRow, users_by_id)

    def by_id(self, model: type[RowT], ask: Ask) -> Loader[UUID, RowT | None]:
        """The loader for the rows that the query of *ask* finds, by their ids."""
        if ask not in self._loaders:
            self._loaders[ask] = Loader(partial(self._load, model, ask))
        return self._loaders[ask]

    async def _load(self, model: type[Any], ask: Ask, ids: list[UUID]) -> list[Any]:
        rows = await read_rows(self._unit_of_work(), model, ask(self._actor, ids))
        found = {row.id: row for row in rows}
        return [found.get(each) for each in ids]
