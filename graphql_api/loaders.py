"""Batching of nested fields: new per operation and per event, because a loader that outlives one tells old news."""

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
    """A loader whose answers are shared by fields that do not know of each other.

    A field that cannot be null and fails ends its siblings: the executor cancels them, and who is cancelled cancels
    the future that it awaits. All who ask for a key await the same one, so each gets a future of its own here.
    """

    def load(self, key: KeyT) -> asyncio.Future[ValueT]:
        """The row with this key, together with all others that are asked for at this moment."""
        return asyncio.shield(super().load(key))


Ask = Callable[[Actor | None, list[UUID]], Query]
"""The rows of these ids that the actor may see, or more."""


def users_by_id(_: Actor | None, ids: list[UUID]) -> Query:
    """Users are visible to everybody."""
    return reads.users(ids)


class Loaders:
    """One batch for all rows of a kind that an operation asks for at the same moment."""

    def __init__(self, unit_of_work: Callable[[], UnitOfWork], actor: Actor | None) -> None:
        self._unit_of_work = unit_of_work
        self._actor = actor
        self._loaders: dict[Ask, Loader[UUID, Any]] = {}

    @property
    def users(self) -> Loader[UUID, UserRow | None]:
        """Users."""
        return self.by_id(UserRow, users_by_id)

    def by_id(self, model: type[RowT], ask: Ask) -> Loader[UUID, RowT | None]:
        """The loader of the rows that *ask* finds, by their ids."""
        if ask not in self._loaders:
            self._loaders[ask] = Loader(partial(self._load, model, ask))
        return self._loaders[ask]

    async def _load(self, model: type[Any], ask: Ask, ids: list[UUID]) -> list[Any]:
        rows = await read_rows(self._unit_of_work(), model, ask(self._actor, ids))
        found = {row.id: row for row in rows}
        return [found.get(each) for each in ids]
