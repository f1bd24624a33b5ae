"""Group commit: units of work that wait at the same time read their rows, and write their changes, together.

A commit waits for the disk, and takes as long for many rows as for one (DeWitt et al., "Implementation Techniques for
Main Memory Database Systems", 1984). A batch reads the rows of all its members with one statement for each table, lets
each member decide, and writes the changes of all with one statement, which is a transaction of its own. Units of work
that arrive meanwhile wait for the next batch. A single one does not wait.

The rows are not locked between the two statements. The second one locks them, and writes nothing if one of them was
changed since it was read, or is locked by another transaction (optimistic concurrency control: Kung and Robinson, "On
Optimistic Methods for Concurrency Control", 1981). Then, as after any error that the server reports for the statement,
each member continues alone, with locks, so that only those that cannot be written fail.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextvars import Context
from typing import Final
from uuid import UUID

from persistence.errors import Duplicate, ReferenceLost, RowsChanged, is_rolled_back, unavailable
from persistence.models.base import Base
from persistence.queries.connection_pool import ConnectionPool
from persistence.row_locks import LockMode, RowLock, Rows, read_statements
from persistence.statement_counts import Statements
from persistence.transaction import Transaction
from persistence.write_set import WriteSet, merged, send

MAX_BATCH_SIZE: Final = 100
"""Members of one batch."""

MAX_CONCURRENT_BATCHES: Final = 2
"""Concurrent batches: while one waits for the disk, the next one can be executed."""

TIMEOUT_SECONDS: Final = 2.0
"""How long a member waits for its batch to start; after that the database counts as unavailable."""

WRITE: Final = "write in a group commit"
"""What a member counts as its statement; the statements of a batch belong to several members."""

Decide = Callable[[Rows], WriteSet]
"""Applies the rules to the rows, and returns the changes. It may be called again, with other rows."""

RowKey = tuple[type[Base], UUID]
"""A row: its model and its id."""

TASK_NAME: Final = "group commit"
"""The name of the asyncio task of a batch."""

_EMPTY_CONTEXT: Final = Context()
"""A batch serves several requests, so it runs in the context of none of them."""


class Member:
    """A unit of work in a batch."""

    __slots__ = ("_written", "decide", "exclusive", "in_batch", "locks", "shared", "until", "write_set")

    def __init__(self, locks: Sequence[RowLock], decide: Decide, loop: asyncio.AbstractEventLoop) -> None:
        self.locks = locks
        self.decide = decide
        self.until = loop.time() + TIMEOUT_SECONDS
        self.exclusive = {lock[:2] for lock in locks if lock.mode is LockMode.EXCLUSIVE}
        """The rows that no other member of the same time may change or read."""
        self.in_batch = {lock[:2] for lock in locks if lock.mode is LockMode.IN_BATCH}
        """The rows that only members of the same batch may change at the same time."""
        self.shared = {lock[:2] for lock in locks if lock.mode is LockMode.SHARED}
        """The rows that no other member of the same time may change."""
        self.write_set = _NOTHING
        self._written: asyncio.Future[bool] | None = loop.create_future()

    @property
    def is_waiting(self) -> bool:
        """Whether the unit of work waits, and was not cancelled."""
        return self._written is not None and not self._written.done()

    async def wait(self) -> bool:
        """True when the changes are committed; False if nothing was written, and the unit of work must write alone.

        Raises:
            Exception: see `fail`.
        """
        written = self._written
        assert written is not None  # it is awaited once
        try:
            return await written
        finally:
            # An exception has a traceback, which has this frame and others with this member. Without the future, they
            # do not lead back to the exception, so it is freed at once, and not by a later garbage collection.
            self._written = written = None

    def end(self, *, written: bool) -> None:
        """Let the unit of work continue."""
        if self._written is not None and not self._written.done():
            self._written.set_result(written)

    def fail(self, error: BaseException) -> None:
        """Raise the error in the unit of work."""
        if self._written is not None and not self._written.done():
            self._written.set_exception(error if isinstance(error, Exception) else asyncio.CancelledError())
            self._written.exception()  # retrieved: the unit of work may be cancelled before it continues


_NOTHING: Final = WriteSet()


class GroupCommit:
    """Executes batches on connections of *pool*."""

    def __init__(self, pool: ConnectionPool, statements: Statements) -> None:
        self._pool = pool
        self._statements = statements
        self._pending: list[Member] = []
        self._in_progress: set[RowKey] = set()
        """The rows of the current batches. Another member that locks such a row waits for the next batch."""
        self._batches: set[asyncio.Task[None]] = set()
        self._is_scheduled = False
        self._timer: asyncio.TimerHandle | None = None

    async def write(self, locks: Sequence[RowLock], decide: Decide) -> bool:
        """Write the changes that *decide* returns for the rows of these locks, and commit.

        False: another transaction changes one of the rows, or the changes cannot be written with those of others.
        Nothing is stored then; the caller writes in a transaction of its own.

        Raises:
            Exception: what *decide* raises; nothing is stored.
            Unavailable: the database does not answer.
        """
        loop = asyncio.get_running_loop()
        member = Member(locks, decide, loop)
        self._pending.append(member)
        if self._timer is None:
            self._timer = loop.call_at(member.until, self._expire_pending, loop, context=_EMPTY_CONTEXT)
        self._schedule_batch(loop)
        return await self._statements.run(WRITE, member.wait)

    async def close(self) -> None:
        """Wait for the batches in progress."""
        while self._pending or self._batches:
            await asyncio.gather(*self._batches, return_exceptions=True)
            await asyncio.sleep(0)
        if self._timer is not None:
            self._timer.cancel()

    def _schedule_batch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start a batch in the next iteration of the event loop, with all members that arrive until then."""
        if not self._is_scheduled and len(self._batches) < MAX_CONCURRENT_BATCHES:
            self._is_scheduled = True
            loop.call_soon(self._start_batch, loop, context=_EMPTY_CONTEXT)

    def _start_batch(self, loop: asyncio.AbstractEventLoop) -> None:
        self._is_scheduled = False
        members, rows = self._next_batch()
        if members:
            self._in_progress |= rows
            batch = Batch(Transaction(self._pool, Statements()), members)  # each member counts its own statement
            task = loop.create_task(batch.run(), name=TASK_NAME)
            self._batches.add(task)
            task.add_done_callback(lambda done: self._batch_done(done, rows, loop))
            if self._pending:
                self._schedule_batch(loop)

    def _next_batch(self) -> tuple[list[Member], set[RowKey]]:
        """The next members that change rows of their own, without those whose unit of work was cancelled."""
        taken: list[Member] = []
        left: list[Member] = []
        exclusive: set[RowKey] = set()
        in_batch: set[RowKey] = set()
        shared: set[RowKey] = set()
        for member in self._pending:
            own, read, together = member.exclusive, member.shared, member.in_batch
            if (
                len(taken) == MAX_BATCH_SIZE
                or not (own | together).isdisjoint(shared)
                or not (own | read).isdisjoint(in_batch)
                or not self._are_free(own | read | together, exclusive)
            ):
                left.append(member)
            elif member.is_waiting:
                taken.append(member)
                exclusive |= own
                in_batch |= together
                shared |= read
        self._pending = left
        return taken, exclusive | in_batch

    def _are_free(self, wanted: set[RowKey], exclusive: set[RowKey]) -> bool:
        """Whether none of the rows is among *exclusive*, or is changed by a batch in progress."""
        return wanted.isdisjoint(exclusive) and wanted.isdisjoint(self._in_progress)

    def _batch_done(self, task: asyncio.Task[None], rows: set[RowKey], loop: asyncio.AbstractEventLoop) -> None:
        self._batches.discard(task)
        self._in_progress -= rows
        if self._pending:
            self._schedule_batch(loop)

    def _expire_pending(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        now = loop.time()
        for member in self._pending:
            if member.until <= now:
                member.fail(unavailable(TimeoutError()) or TimeoutError())
        self._pending = [member for member in self._pending if member.until > now]
        if self._pending:
            self._timer = loop.call_at(self._pending[0].until, self._expire_pending, loop, context=_EMPTY_CONTEXT)


class Batch:
    """The units of work whose changes are written together."""

    def __init__(self, transaction: Transaction, members: list[Member]) -> None:
        self._transaction = transaction
        self._members = members

    async def run(self) -> None:
        """Read, decide and write. No error leaves this method: each member gets its own."""
        try:
            rows, versions = await self._read()
            writers = [member for member in self._members if _decided(member, rows)]
            if writers:
                await self._write(writers, versions)
        except BaseException as error:
            failure = (unavailable(error) or error) if isinstance(error, Exception) else error
            for member in self._members:
                member.fail(failure)
            if not isinstance(error, Exception):
                raise
        finally:
            await self._close()

    async def _close(self) -> None:
        """Release the connection. Each member has its result already: a broken connection changes none."""
        try:
            await self._transaction.close()
        except Exception as error:
            if unavailable(error) is None:
                raise

    async def _read(self) -> tuple[Rows, dict[RowLock, int]]:
        """The rows of all members, and the version of each row that a lock names."""
        rows: Rows = {}
        versions: dict[RowLock, int] = {}
        for statement in read_statements([lock for member in self._members for lock in member.locks]):
            for lock, row, version in statement.rows(await self._transaction.fetch(statement.text, statement.ids)):
                rows[lock.model, lock.id] = row
                if lock.mode is not LockMode.NONE:
                    versions[lock] = version
        return rows, versions

    async def _write(self, writers: Sequence[Member], versions: dict[RowLock, int]) -> None:
        locks = {lock: versions[lock] for member in writers for lock in member.locks if lock in versions}
        try:
            await send(self._transaction, merged([member.write_set for member in writers]), locks)
        except Exception as error:
            if not (isinstance(error, RowsChanged | Duplicate | ReferenceLost) or is_rolled_back(error)):
                raise
            _end(writers, written=False)
        else:
            _end(writers, written=True)


def _decided(member: Member, rows: Rows) -> bool:
    """Whether the member has changes to write."""
    if not member.is_waiting:
        return False
    try:
        member.write_set = member.decide(rows)
    except Exception as refusal:
        member.fail(refusal)
        return False
    if not member.write_set:
        member.end(written=True)
    return bool(member.write_set) and member.is_waiting


def _end(members: Iterable[Member], *, written: bool) -> None:
    for member in members:
        member.end(written=written)
