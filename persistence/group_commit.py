"""Group commit: concurrent status updates are executed by one statement, with one round trip and one commit.

A commit waits for the disk, and takes as long for many rows as for one (DeWitt et al., "Implementation Techniques for
Main Memory Database Systems", 1984). Updates that arrive while a batch is executed wait for the next batch. A single
update does not wait.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextvars import Context
from typing import Any, Final, NamedTuple
from uuid import UUID

import asyncpg

from persistence.errors import connection_lost, is_retryable, unavailable
from persistence.models import TaskRow
from persistence.queries.connection_pool import ConnectionPool
from persistence.task_status_update import StatusUpdate, arguments, row_of, update_statement

MAX_BATCH_SIZE: Final = 100
"""Updates in one statement."""

MAX_CONCURRENT_BATCHES: Final = 2
"""Concurrent statements: while one waits for the disk, the next one can be executed."""

TIMEOUT_SECONDS: Final = 2.0
"""How long an update waits for its batch to start; after that the database counts as unavailable."""

_EMPTY_CONTEXT: Final = Context()
"""A batch serves several requests, so it runs in the context of none of them."""


class _PendingUpdate(NamedTuple):
    update: StatusUpdate
    outcome: "asyncio.Future[TaskRow | None]"
    until: float


class GroupCommit:
    """Executes updates in batches, on connections of *pool*; *on_applied* is called with the number of rows changed."""

    def __init__(self, pool: ConnectionPool, on_applied: Callable[[int], None]) -> None:
        self._pool = pool
        self._on_applied = on_applied
        self._pending: list[_PendingUpdate] = []
        self._in_progress: set[UUID] = set()
        """The tasks of the current batches. Another update of such a task waits for the next batch."""
        self._batches: set[asyncio.Task[None]] = set()
        self._is_scheduled = False
        self._timer: asyncio.TimerHandle | None = None

    async def apply(self, update: StatusUpdate) -> TaskRow | None:
        """Execute an update with its event. None if it is not possible, or only with waiting: then nothing is changed.

        Raises:
            Unavailable: the database does not answer. If only the answer was lost, the update may be committed.
        """
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[TaskRow | None] = loop.create_future()
        self._pending.append(_PendingUpdate(update, outcome, loop.time() + TIMEOUT_SECONDS))
        if self._timer is None:
            self._timer = loop.call_later(TIMEOUT_SECONDS, self._expire_pending, loop, context=_EMPTY_CONTEXT)
        self._schedule_batch()
        return await outcome

    async def close(self) -> None:
        """Wait for the updates in progress."""
        while self._pending or self._batches:
            await asyncio.gather(*self._batches, return_exceptions=True)
            await asyncio.sleep(0)
        if self._timer is not None:
            self._timer.cancel()

    def _schedule_batch(self) -> None:
        """Start a batch in the next iteration of the event loop, with all updates that arrive until then."""
        if not self._is_scheduled and len(self._batches) < MAX_CONCURRENT_BATCHES:
            self._is_scheduled = True
            asyncio.get_running_loop().call_soon(self._start_batch, context=_EMPTY_CONTEXT)

    def _start_batch(self) -> None:
        self._is_scheduled = False
        batch = self._next_batch()
        if batch:
            self._in_progress.update(batch)
            task = asyncio.create_task(self._run_batch(batch))
            self._batches.add(task)
            task.add_done_callback(self._batch_done)

    def _next_batch(self) -> dict[UUID, _PendingUpdate]:
        """The next updates of different tasks, without those whose caller has been cancelled."""
        taken: dict[UUID, _PendingUpdate] = {}
        left = []
        for pending in self._pending:
            task_id = pending.update.task_id
            if len(taken) == MAX_BATCH_SIZE or task_id in taken or task_id in self._in_progress:
                left.append(pending)
            elif not pending.outcome.done():
                taken[task_id] = pending
        self._pending = left
        return taken

    def _batch_done(self, task: asyncio.Task[None]) -> None:
        self._batches.discard(task)
        if self._pending:
            self._schedule_batch()

    def _expire_pending(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        now = loop.time()
        for pending in self._pending:
            if pending.until <= now and not pending.outcome.done():
                _fail(pending.outcome, TimeoutError())
        self._pending = [pending for pending in self._pending if not pending.outcome.done()]
        if self._pending:
            self._timer = loop.call_at(self._pending[0].until, self._expire_pending, loop, context=_EMPTY_CONTEXT)

    async def _run_batch(self, batch: dict[UUID, _PendingUpdate]) -> None:
        try:
            found = await self._apply([pending.update for pending in batch.values()])
        except Exception as error:
            for _, outcome in _waiting(batch):
                _fail(outcome, error)
        else:
            for task_id, outcome in _waiting(batch):
                outcome.set_result(found.get(task_id))
        finally:
            self._in_progress.difference_update(batch)
            for _, outcome in _waiting(batch):
                outcome.cancel()  # the batch was cancelled

    async def _apply(self, updates: Sequence[StatusUpdate]) -> dict[UUID, TaskRow]:
        try:
            rows = await self._rows(updates)
        except (asyncpg.PostgresError, ValueError) as error:
            if is_retryable(error):
                raise
            # The whole statement fails because of one update. The callers execute their updates one by one.
            return {}
        if rows:
            self._on_applied(len(rows))
        return {row[0]: row_of(row) for row in rows}

    async def _rows(self, updates: Sequence[StatusUpdate]) -> list[Any]:
        text, values = update_statement(), arguments(updates)
        connection, work = await self._pool.acquire(lambda acquired: acquired.fetch(text, *values))
        failure: BaseException | None = None
        try:
            rows: list[Any] = await work
        except BaseException as error:
            failure = error
            if isinstance(error, Exception) and connection.is_closed():
                raise connection_lost(error) from error
            raise
        finally:
            self._pool.release(connection, failure)
        return rows


def _fail(outcome: "asyncio.Future[TaskRow | None]", error: Exception) -> None:
    outcome.set_exception(unavailable(error) or error)


def _waiting(batch: dict[UUID, _PendingUpdate]) -> "Iterator[tuple[UUID, asyncio.Future[TaskRow | None]]]":
    """The results for which a caller still waits."""
    return ((task_id, pending.outcome) for task_id, pending in batch.items() if not pending.outcome.done())
