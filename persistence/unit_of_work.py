"""A unit of work: one transaction of one actor at one time."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from types import TracebackType
from typing import Any, Final, Self

from domain.actor import Actor
from domain.errors import Unauthenticated
from domain.events import RecordedEvent, TaskScopedEvent
from domain.idempotency import IdempotencyKey
from persistence.errors import unavailable
from persistence.event_log import EventLog
from persistence.group_commit import GroupCommit, Member
from persistence.idempotency_counts import KeyCounts
from persistence.models import EventRow
from persistence.models.base import Base
from persistence.models.rows import new_row
from persistence.pagination import Page
from persistence.queries.query import Paged, Query
from persistence.repositories.idempotency import IdempotencyRepository
from persistence.repositories.rows import RowT, page_of, rows_of
from persistence.repositories.session import SessionRepository
from persistence.repositories.task import TaskRepository
from persistence.repositories.user import UserRepository
from persistence.row_locks import RowLock, lock_statements, locked_rows
from persistence.transaction import SNAPSHOT, Transaction
from persistence.write_set import WriteSet, send

_CLOCK: Final = "SELECT clock_timestamp()"
_TRY_LOCK: Final = "SELECT pg_try_advisory_xact_lock(hashtext($1))"


class UnitOfWork:
    """One transaction of one actor; without `commit` nothing is changed.

    A service locks the rows that its decision reads, applies the rules, changes locked rows, adds and removes rows,
    records events, and commits. All changes are written by one statement. `async with uow:` can be used several times
    in a row, for work in several transactions.
    """

    def __init__(
        self,
        new_transaction: Callable[[], Transaction],
        group_commit: GroupCommit,
        key_counts: KeyCounts,
        actor: Actor | None,
        *,
        request_id: str | None = None,
        now: datetime | None = None,
        on_recorded: Callable[[int], None] = lambda events: None,
        gate: asyncio.Semaphore | None = None,
        idempotency: IdempotencyKey | None = None,
    ) -> None:
        """Prepare the unit of work; *gate* limits the number of concurrent units of work that share it.

        *idempotency* is the key of the write, if the client has sent one. *key_counts* is the process's cache of the
        number of keys per account.
        """
        self._new_transaction = new_transaction
        self._group_commit = group_commit
        self._key_counts = key_counts
        self._gate = gate
        self._actor = actor
        self._member: Member | None = None
        self._on_recorded = on_recorded
        self.request_id = request_id
        self.idempotency = idempotency
        self._given_now = now
        self.now = now or datetime.now(UTC)
        """The time of changes and events. For the age of rows use `stamp` and `server_time`."""

    @property
    def actor(self) -> Actor:
        """The actor.

        Raises:
            Unauthenticated: no user is signed in.
        """
        if self._actor is None:
            raise Unauthenticated("Not authenticated")
        return self._actor

    @property
    def events(self) -> EventLog:
        """The event log, in this transaction."""
        return EventLog(self.transaction.fetch)

    @cached_property
    def keys(self) -> IdempotencyRepository:
        """The idempotency keys; needed only if the client has sent one."""
        return IdempotencyRepository(self, self._key_counts)

    @property
    def stamp(self) -> datetime | None:
        """The time for columns that decide when a row is removed: None is the time of the database's clock."""
        return self._given_now

    async def server_time(self) -> datetime:
        """The time of the database's clock, or the given time of a change in the past."""
        time: datetime = self._given_now or await self.transaction.value(_CLOCK)
        return time

    async def server_is_ahead(self) -> timedelta:
        """How far the database's clock is ahead of this process's clock; zero for a change in the past."""
        if self._given_now is not None:
            return timedelta()
        before = datetime.now(UTC)
        there = await self.server_time()
        return there - before - (datetime.now(UTC) - before) / 2

    async def __aenter__(self) -> Self:
        if self._gate is not None:
            await self._gate.acquire()
        self.transaction = self._new_transaction()
        self.__dict__.pop("keys", None)  # a key that was claimed in an earlier transaction
        self._begin_changes()
        self.tasks = TaskRepository(self, self._actor)
        self.users = UserRepository(self, self._actor)
        self.sessions = SessionRepository(self, self._actor)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._member is not None:
                self._member.leave()
            await self.transaction.close()
        except Exception as closing:
            # The error of the block is more important than the error of closing the connection.
            if error is None:
                raise unavailable(closing) or closing from closing
        finally:
            if self._gate is not None:
                self._gate.release()
        if error is not None and (failure := unavailable(error)) is not None:
            raise failure from error

    async def rows(self, model: type[RowT], asked: Query) -> list[RowT]:
        """The rows of a query."""
        return await rows_of(self.transaction, model, asked)

    async def page(self, model: type[RowT], paged: Paged) -> Page[RowT]:
        """The rows of a page."""
        return await page_of(self.transaction, model, paged)

    async def lock(self, *locks: RowLock, then_commits: bool = False) -> list[Any]:
        """Lock rows and return them in this order; None for those that do not exist.

        Lock all rows that a decision reads with one call. Until `commit`, other transactions can neither change them
        nor, unless the lock is shared, lock them.

        With *then_commits*, no other statement follows before the commit. Then the transaction is shared with other
        units of work, see `group_commit`.
        """
        found = await self._join(locks) if then_commits and not self._is_alone else None
        if found is None:
            found = await self._lock_alone(locks)
        return [found.get((lock.model, lock.id)) for lock in locks]

    def change(self, row: Base, **values: Any) -> None:
        """Change attributes of a locked row. What is set on the row directly is not stored."""
        row.__dict__.update(values)
        self.write_set.update(row, values)

    def record(self, event: RecordedEvent) -> None:
        """Record an event. It is delivered when this transaction commits.

        The event's row must be locked or new: the INSERT draws the event's id, and the ids decide the order in which a
        task's events are delivered.
        """
        row = new_row(EventRow, kind=event.kind, payload=event.to_json(), recorded_at=self.stamp)
        if isinstance(event, TaskScopedEvent):
            row.task_id, row.user_id = event.task_id, event.actor_id
            if self.idempotency is not None:
                self.keys.note(event.version)
        else:
            row.user_id = event.user_id
        self.write_set.insert(row)
        self._recorded += 1

    async def freeze(self) -> None:
        """Make the transaction read-only, with one snapshot for all reads. Call this first in a transaction."""
        await self.transaction.begin(SNAPSHOT)

    async def try_lock(self, name: str) -> bool:
        """Take a lock that all processes share until this transaction ends; False if another one has it."""
        await self.transaction.begin()
        return bool(await self.transaction.value(_TRY_LOCK, f"taskriver:{name}"))

    async def commit(self) -> None:
        """Write all changes and commit, then notify the listeners for events.

        Raises:
            Duplicate: a row violates a unique index; nothing is stored.
        """
        await self._write()
        events = self._recorded
        self._begin_changes()
        if events:
            self._on_recorded(events)

    async def _write(self) -> None:
        if self._member is not None:
            member, self._member = self._member, None
            self.transaction.is_blocked = False
            if self.write_set:
                await self._group_commit.commit(member, self.write_set)
            else:
                member.leave()
        elif self._is_alone:
            await send(self.transaction, self.write_set)
            await self.transaction.commit()
        elif self.write_set:
            await self.transaction.close()
            await self._group_commit.write(self.write_set)

    @property
    def _is_alone(self) -> bool:
        """Whether the changes need a transaction of their own. A claimed key may have to wait for its duplicate."""
        return self.transaction.is_open or self.idempotency is not None

    async def _join(self, locks: Sequence[RowLock]) -> dict[Any, Base] | None:
        """Lock rows in a group commit; None if it cannot lock all of them without waiting."""
        await self.transaction.close()  # the batch needs a connection: all of them could be held by its members
        joined = await self._group_commit.join(locks)
        if joined is None:
            return None
        self._member, found = joined
        self.transaction.is_blocked = True
        return found

    async def _lock_alone(self, locks: Sequence[RowLock]) -> dict[Any, Base]:
        await self.transaction.begin()
        found: dict[Any, Base] = {}
        for statement in lock_statements(locks):
            rows = locked_rows(statement, await self.transaction.fetch(statement.text, statement.ids))
            found |= {(statement.model, key): row for key, row in rows.items()}
        return found

    def _begin_changes(self) -> None:
        self.write_set = WriteSet()
        self._member = None
        self._recorded = 0
