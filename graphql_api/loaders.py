"""Data loaders, which read the rows for nested fields in batches.

Loaders cache what they read. So every operation, and every event of a subscription, gets new ones.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextvars import Context
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from aiodataloader import DataLoader, dispatch_queue
from aiodataloader import Loader as QueuedKey

from domain.actor import Actor
from graphql_api.pace import Pace
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

    A batch is read when no list of the operation is partly complete, so that one batch has the keys of all its items.
    """

    def __init__(self, load_batch: Callable[[list[KeyT]], Coroutine[Any, Any, list[ValueT]]], pace: Pace) -> None:
        super().__init__(load_batch)
        self._pace = pace

    def load(self, key: KeyT) -> asyncio.Future[ValueT]:
        """Load the row with this key, in one batch with the other keys that are requested at this moment."""
        return asyncio.shield(super().load(key))

    def do_resolve_reject(self, key: KeyT, future: "asyncio.Future[ValueT]") -> None:
        """Add a key to the next batch. `DataLoader` calls this for each new key."""
        self._queue.append(QueuedKey(key=key, future=future))
        if len(self._queue) == 1:
            self.loop.call_soon(asyncio.ensure_future, self._dispatch())

    async def _dispatch(self) -> None:
        await self._pace.settled()
        dispatch_queue(self)


Ask = Callable[[Actor | None, list[UUID]], Query]
"""Makes the query for the rows with these ids that the actor may see. It may find more rows."""


def users_by_id(_: Actor | None, ids: list[UUID]) -> Query:
    """The query for users. Every user may see them."""
    return reads.users(ids)


SeenFrom = Callable[[Any, Any], Any]
"""Returns a row as the user sees it who sees the other row, which refers to it; the latter is the first argument."""


def same_for_all(_: Any, row: Any) -> Any:
    """The row: every user sees the same."""
    return row


class RowReader:
    """Reads rows of one kind for all subscription events of a process, one statement at a time and without a cache.

    Rows that are needed while a statement runs are read by the next one. So the rate of events does not depend on how
    long a statement takes. The rows are read with the rights of *actor*, and shown as *seen_from* returns them.
    """

    def __init__(
        self,
        unit_of_work: Callable[[], UnitOfWork],
        model: type[Any],
        ask: Ask,
        actor: Actor,
        seen_from: SeenFrom = same_for_all,
    ) -> None:
        self._unit_of_work = unit_of_work
        self._model = model
        self._ask = ask
        self._actor = actor
        self.seen_from = seen_from
        self._waiting: dict[UUID, list[asyncio.Future[Any]]] = {}
        self._reading: asyncio.Task[None] | None = None

    def load(self, key: UUID) -> "asyncio.Future[Any]":
        """The row with this id, or None. It is read after this call."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, []).append(future)
        if self._reading is None:
            self._reading = asyncio.create_task(self._read_waiting(), context=Context())  # it serves many events
        return future

    async def _read_waiting(self) -> None:
        try:
            while self._waiting:
                waiting, self._waiting = self._waiting, {}
                await self._read(waiting)
        finally:
            self._reading = None

    async def _read(self, waiting: dict[UUID, list["asyncio.Future[Any]"]]) -> None:
        futures = [(key, future) for key, several in waiting.items() for future in several]
        try:
            asked = self._ask(self._actor, list(waiting))
            found = {row.id: row for row in await read_rows(self._unit_of_work(), self._model, asked)}
        except Exception as error:
            for _, future in futures:
                if not future.done():
                    future.set_exception(error)
        else:
            for key, future in futures:
                if not future.done():
                    future.set_result(found.get(key))


Readers = Mapping[type[Any], RowReader]
"""The readers that deliveries share, by model."""


class Loaders:
    """The loaders of one operation or, with *readers*, of one subscription event."""

    def __init__(
        self, unit_of_work: Callable[[], UnitOfWork], actor: Actor | None, pace: Pace, readers: Readers | None = None
    ) -> None:
        self._unit_of_work = unit_of_work
        self._actor = actor
        self._pace = pace
        self._readers = readers or {}
        self._loaders: dict[Ask, Loader[UUID, Any]] = {}

    async def referred(self, model: type[Any], ask: Ask, key: UUID, referrer: Any) -> Any:
        """The row with this key that the row *referrer* refers to, as the actor sees it, or None."""
        reader = self._readers.get(model)
        if reader is None:
            return await self.by_id(model, ask).load(key)
        row = await reader.load(key)
        return reader.seen_from(referrer, row) if row is not None else None

    def by_id(self, model: type[RowT], ask: Ask) -> Loader[UUID, RowT | None]:
        """The loader for the rows that the query of *ask* finds, by their ids."""
        if ask not in self._loaders:
            self._loaders[ask] = Loader(partial(self._load, model, ask), self._pace)
        return self._loaders[ask]

    async def _load(self, model: type[Any], ask: Ask, ids: list[UUID]) -> list[Any]:
        rows = await read_rows(self._unit_of_work(), model, ask(self._actor, ids))
        found = {row.id: row for row in rows}
        return [found.get(each) for each in ids]
