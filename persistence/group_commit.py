"""Group commit: units of work that wait at the same time share one transaction, with one commit.

A commit waits for the disk, and takes as long for many rows as for one (DeWitt et al., "Implementation Techniques for
Main Memory Database Systems", 1984). A batch locks and reads the rows of all its members with one statement for each
table, waits until each member has applied its rules, and writes the rows of all with one statement. Units of work that
arrive meanwhile wait for the next batch. A single one does not wait.

A member whose rows another transaction has locked is released without them: it continues alone, so that the others do
not wait for it. If the common statement fails, the members write one after the other, and only those that fail get an
error.
"""

import asyncio
from collections.abc import Sequence
from contextvars import Context
from typing import Any, Final
from uuid import UUID

from persistence.errors import Duplicate, is_statement_error, unavailable
from persistence.models.base import Base
from persistence.queries.connection_pool import ConnectionPool
from persistence.row_locks import RowLock, lock_statements, locked_rows
from persistence.statement_counts import Statements
from persistence.transaction import Transaction
from persistence.write_set import WriteSet, merged, send

MAX_BATCH_SIZE: Final = 100
"""Members of one batch."""

MAX_CONCURRENT_BATCHES: Final = 2
"""Concurrent batches: while one waits for the disk, the next one can be executed."""

TIMEOUT_SECONDS: Final = 2.0
"""How long a member waits for its batch to start; after that the database counts as unavailable."""

LOCK: Final = "lock rows in a group commit"
WRITE: Final = "write rows in a group commit"
"""What a member counts as its statements; the statements of a batch belong to several members."""

Rows = dict[tuple[type[Base], UUID], Base]
"""Locked rows, by model and id."""

_EMPTY_CONTEXT: Final = Context()
"""A batch serves several requests, so it runs in the context of none of them."""


class Member:
    """A unit of work in a batch."""

    def __init__(self, locks: Sequence[RowLock], until: float, write_set: WriteSet | None = None) -> None:
        loop = asyncio.get_running_loop()
        self.locks = locks
        self.until = until
        self.write_set = write_set
        self.rows: asyncio.Future[Rows | None] = loop.create_future()
        """The locked rows; None if they are not there, or cannot be locked without waiting."""
        self.decided: asyncio.Future[None] = loop.create_future()
        """Done when the member has asked to commit, or has left."""
        self.committed: asyncio.Future[None] = loop.create_future()
        if write_set is not None:
            self.decided.set_result(None)

    @property
    def exclusive(self) -> set[UUID]:
        """The ids of the rows that no other member of the same time may change or read."""
        return {lock.id for lock in self.locks if not lock.shared}

    @property
    def shared(self) -> set[UUID]:
        """The ids of the rows that no other member of the same time may change."""
        return {lock.id for lock in self.locks if lock.shared}

    @property
    def is_waiting(self) -> bool:
        """Whether the unit of work waits for its rows or for its commit."""
        return not (self.rows.done() if self.write_set is None else self.committed.done())

    def leave(self) -> None:
        """Let the batch continue; without a write set nothing of this member is written."""
        if not self.decided.done():
            self.decided.set_result(None)

    def fail(self, error: BaseException) -> None:
        """Raise the error in the unit of work."""
        failure = (unavailable(error) or error) if isinstance(error, Exception) else asyncio.CancelledError()
        for future in (self.rows, self.committed):
            if not future.done():
                future.set_exception(failure)
                future.exception()  # retrieved: the unit of work may wait for the other one, or for neither


class GroupCommit:
    """Executes batches on connections of *pool*."""

    def __init__(self, pool: ConnectionPool, statements: Statements) -> None:
        self._pool = pool
        self._statements = statements
        self._pending: list[Member] = []
        self._in_progress: set[UUID] = set()
        """The rows of the current batches. Another member that locks such a row waits for the next batch."""
        self._batches: set[asyncio.Task[None]] = set()
        self._is_scheduled = False
        self._timer: asyncio.TimerHandle | None = None

    async def join(self, locks: Sequence[RowLock]) -> tuple[Member, Rows] | None:
        """Join a batch that locks these rows. None: one of them is not there, or only after waiting.

        The member must `commit` or leave, without waiting for anything else in between: all others wait for it.

        Raises:
            Unavailable: the database does not answer.
        """
        member = self._added(Member(locks, self._deadline()))
        try:
            rows = await self._statements.run(LOCK, _wait, member.rows)
        except BaseException:
            member.leave()
            raise
        return None if rows is None else (member, rows)

    async def commit(self, member: Member, write_set: WriteSet) -> None:
        """Write the rows of a member, and return when the batch has committed.

        Raises:
            Exception: the write failed; nothing of this member is stored.
        """
        member.write_set = write_set
        member.leave()
        await self._statements.run(WRITE, _wait, member.committed)

    async def write(self, write_set: WriteSet) -> None:
        """Write rows that need no locks.

        Raises:
            Exception: the write failed; nothing is stored.
        """
        member = self._added(Member((), self._deadline(), write_set))
        await self._statements.run(WRITE, _wait, member.committed)

    async def close(self) -> None:
        """Wait for the batches in progress."""
        while self._pending or self._batches:
            await asyncio.gather(*self._batches, return_exceptions=True)
            await asyncio.sleep(0)
        if self._timer is not None:
            self._timer.cancel()

    def _deadline(self) -> float:
        return asyncio.get_running_loop().time() + TIMEOUT_SECONDS

    def _added(self, member: Member) -> Member:
        self._pending.append(member)
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(member.until, self._expire_pending, loop, context=_EMPTY_CONTEXT)
        self._schedule_batch()
        return member

    def _schedule_batch(self) -> None:
        """Start a batch in the next iteration of the event loop, with all members that arrive until then."""
        if not self._is_scheduled and len(self._batches) < MAX_CONCURRENT_BATCHES:
            self._is_scheduled = True
            asyncio.get_running_loop().call_soon(self._start_batch, context=_EMPTY_CONTEXT)

    def _start_batch(self) -> None:
        self._is_scheduled = False
        members, ids = self._next_batch()
        if members:
            self._in_progress |= ids
            batch = Batch(Transaction(self._pool, Statements()), members)  # each member counts its own statements
            task = asyncio.create_task(batch.run())
            self._batches.add(task)
            task.add_done_callback(lambda done: self._batch_done(done, ids))
            if self._pending:
                self._schedule_batch()

    def _next_batch(self) -> tuple[list[Member], set[UUID]]:
        """The next members that change rows of their own, without those whose unit of work was cancelled."""
        taken: list[Member] = []
        left: list[Member] = []
        ids: set[UUID] = set()
        shared: set[UUID] = set()
        for member in self._pending:
            own, read = member.exclusive, member.shared
            if len(taken) == MAX_BATCH_SIZE or own & shared or self._are_changed(own | read, ids):
                left.append(member)
            elif member.is_waiting:
                taken.append(member)
                ids |= own
                shared |= read
        self._pending = left
        return taken, ids

    def _are_changed(self, wanted: set[UUID], ids: set[UUID]) -> bool:
        """Whether one of the rows is among *ids*, or is changed by a batch in progress."""
        return not (wanted.isdisjoint(ids) and wanted.isdisjoint(self._in_progress))

    def _batch_done(self, task: asyncio.Task[None], ids: set[UUID]) -> None:
        self._batches.discard(task)
        self._in_progress -= ids
        if self._pending:
            self._schedule_batch()

    def _expire_pending(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        now = loop.time()
        for member in self._pending:
            if member.until <= now:
                member.fail(TimeoutError())
        self._pending = [member for member in self._pending if member.until > now]
        if self._pending:
            self._timer = loop.call_at(self._pending[0].until, self._expire_pending, loop, context=_EMPTY_CONTEXT)


class Batch:
    """The units of work that share one transaction."""

    def __init__(self, transaction: Transaction, members: list[Member]) -> None:
        self._transaction = transaction
        self._members = members

    async def run(self) -> None:
        """Lock, wait for the members, write and commit. No error leaves this method: each member gets its own."""
        try:
            await self._lock()
            for member in self._members:
                await member.decided
            await self._write([member for member in self._members if member.write_set])
        except BaseException as error:
            for member in self._members:
                member.fail(error)
            if not isinstance(error, Exception):
                raise
        finally:
            await self._close()

    async def _close(self) -> None:
        """Roll back what was not committed. Each member has its result already: a broken connection changes none."""
        try:
            await self._transaction.close()
        except Exception as error:
            if unavailable(error) is None:
                raise

    async def _lock(self) -> None:
        locks = [lock for member in self._members for lock in member.locks]
        if not locks:
            return
        await self._transaction.begin()
        found: Rows = {}
        for statement in lock_statements(locks, skip_locked=True):
            rows = locked_rows(statement, await self._transaction.fetch(statement.text, statement.ids))
            found |= {(statement.model, key): row for key, row in rows.items()}
        for member in self._members:
            _give(member, found)

    async def _write(self, writers: Sequence[Member]) -> None:
        if not writers:
            return
        if len(writers) > 1 and self._transaction.is_open:
            await self._transaction.savepoint()
        try:
            await self._send(writers)
        except Exception as error:
            if len(writers) == 1 or not _is_of_one_member(error):
                raise
            await self._write_one_by_one(writers)
        await self._transaction.commit()
        for member in writers:
            if not member.committed.done():
                member.committed.set_result(None)

    async def _write_one_by_one(self, writers: Sequence[Member]) -> None:
        """Write the rows of each member separately; those that fail get their errors."""
        is_open = self._transaction.is_open
        if is_open:
            await self._transaction.rollback_to_savepoint()
        for member in writers:
            try:
                if is_open:
                    await self._transaction.savepoint()
                await self._send([member])
            except Exception as error:
                if not _is_of_one_member(error):
                    raise
                member.fail(error)
                if is_open:
                    await self._transaction.rollback_to_savepoint()

    async def _send(self, writers: Sequence[Member]) -> None:
        await send(self._transaction, merged([member.write_set for member in writers if member.write_set]))


def _give(member: Member, found: Rows) -> None:
    """Give a member its rows, or release it if one is missing."""
    keys = [(lock.model, lock.id) for lock in member.locks]
    is_complete = all(key in found for key in keys)
    if not is_complete:
        member.leave()
    if not member.rows.done():
        member.rows.set_result({key: found[key] for key in keys} if is_complete else None)


def _is_of_one_member(error: Exception) -> bool:
    """Whether the statement failed because of the rows of a member, and the others can still be written."""
    return isinstance(error, Duplicate) or is_statement_error(error)


async def _wait(future: "asyncio.Future[Any]") -> Any:
    return await future
