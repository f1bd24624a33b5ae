"""A unit of work: one transaction of one actor at one time."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlalchemy.orm import InstrumentedAttribute

from domain.actor import Actor
from domain.errors import Unauthenticated
from domain.events import EventKind, RecordedEvent, TaskEvent, TaskScopedEvent
from domain.idempotency import MAX_KEYS, IdempotencyKey
from domain.task import ExpectedVersion, TaskStatus
from persistence.errors import duplicate, unavailable
from persistence.event_log import EventLog
from persistence.idempotency_counts import KeyCounts
from persistence.models import EventRow, TaskRow
from persistence.pagination import Page
from persistence.queries.query import Paged, Query
from persistence.repositories.idempotency import IdempotencyRepository
from persistence.repositories.rows import RowT, page_of, rows_of
from persistence.repositories.session import SessionRepository
from persistence.repositories.task import TaskRepository
from persistence.repositories.user import UserRepository
from persistence.sql_helpers import insert_many
from persistence.task_status_update import StatusUpdate, can_be_compared

Stamp = datetime | ColumnElement[datetime]
ApplyStatusUpdate = Callable[[StatusUpdate], Awaitable[TaskRow | None]]


class UnitOfWork:
    """One transaction of one actor; without `commit` nothing is changed.

    `async with uow:` can be used several times in a row, for work in several transactions.
    """

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        actor: Actor | None,
        *,
        request_id: str | None = None,
        now: datetime | None = None,
        on_recorded: Callable[[int], None] = lambda events: None,
        gate: asyncio.Semaphore | None = None,
        idempotency: IdempotencyKey | None = None,
        apply_status_update: ApplyStatusUpdate | None = None,
        key_counts: KeyCounts | None = None,
    ) -> None:
        """Prepare the unit of work; *gate* limits the number of concurrent units of work that share it.

        *idempotency* is the key of the write, if the client has sent one. *apply_status_update* executes a status
        update in a group commit. *key_counts* is the process's cache of the number of keys per account.
        """
        self._gate = gate
        self._sessions = sessions
        self._actor = actor
        self._on_recorded = on_recorded
        self._apply_status_update = apply_status_update
        self._key_counts = key_counts or KeyCounts(MAX_KEYS)
        self._recorded = 0
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
    def stamp(self) -> Stamp:
        """The time for columns that decide when a row is removed: the database's clock, which all processes share."""
        return self._given_now or func.clock_timestamp()

    async def server_time(self) -> datetime:
        """The time of the database's clock, or the given time of a change in the past."""
        return self._given_now or await self._session.scalar(select(func.clock_timestamp())) or self.now

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
        self._session = self._sessions()
        self._recorded = 0
        self.tasks = TaskRepository(self._session, self._actor)
        self.users = UserRepository(self._session)
        self.sessions = SessionRepository(self._session)
        self.events = EventLog(self._session)
        self.keys = IdempotencyRepository(self._session, self._key_counts)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await _uninterrupted(self._session)
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
        return await rows_of(self._session, model, asked)

    async def page(self, model: type[RowT], paged: Paged) -> Page[RowT]:
        """The rows of a page."""
        return await page_of(self._session, model, paged)

    def record(self, event: RecordedEvent) -> None:
        """Record an event. It is delivered when this transaction commits.

        The event's row must be locked before: the INSERT draws the event's id, and the ids decide the order in which a
        task's events are delivered.
        """
        if isinstance(event, TaskScopedEvent):
            self.keys.note(event.version)
        self._session.add(
            EventRow(
                kind=event.kind,
                task_id=event.task_id if isinstance(event, TaskScopedEvent) else None,
                user_id=event.actor_id if isinstance(event, TaskScopedEvent) else event.user_id,
                payload=event.to_json(),
                recorded_at=self.stamp,
            )
        )
        self._recorded += 1

    async def record_many(self, events: Sequence[TaskEvent]) -> None:
        """Record events of many tasks in one statement. The tasks must be locked or new, see `record`."""
        values: dict[InstrumentedAttribute[Any], list[Any]] = {
            EventRow.kind: [EventKind.TASK] * len(events),
            EventRow.task_id: [event.task_id for event in events],
            EventRow.user_id: [event.actor_id for event in events],
            EventRow.payload: [event.to_json() for event in events],
            EventRow.recorded_at: [self.now] * len(events),
        }
        await self._session.execute(insert_many(EventRow, values))
        self._recorded += len(events)

    async def freeze(self) -> None:
        """Make the transaction read-only, with one snapshot for all reads. Call this first in a transaction."""
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        await self._session.connection(execution_options=options)

    async def try_status_update(
        self, task_id: UUID, status: TaskStatus, expected_version: ExpectedVersion
    ) -> TaskRow | None:
        """Change a status in a group commit, with its event, outside of this unit of work's own transaction.

        None means that nothing was changed, without a reason: make the change in a transaction to find it.

        Raises:
            Unavailable: the database does not answer.
        """
        if self._apply_status_update is None or self.idempotency is not None or not can_be_compared(expected_version):
            return None
        update = StatusUpdate(self.actor, task_id, status, expected_version, self.request_id, self.now)
        return await self._apply_status_update(update)

    async def flush(self) -> None:
        """Send pending changes, without a commit.

        Raises:
            Duplicate: a row violates a unique index.
        """
        try:
            await self._session.flush()
        except IntegrityError as error:
            raise duplicate(error) or error from error

    async def try_lock(self, name: str) -> bool:
        """Take a lock that all processes share until this transaction ends; False if another one has it."""
        query = select(func.pg_try_advisory_xact_lock(func.hashtext(f"taskriver:{name}")))
        return bool(await self._session.scalar(query))

    async def commit(self) -> None:
        """Commit the transaction, then notify the listeners for events."""
        await self._session.commit()
        if events := self._recorded:
            self._recorded = 0
            self._on_recorded(events)


async def _uninterrupted(session: AsyncSession) -> None:
    """Close the session completely, even if the task is cancelled, so that its connection can be used again.

    SQLAlchemy's own context manager does the same.
    """
    closing = asyncio.ensure_future(session.close())
    closing.add_done_callback(
        lambda done: done.cancelled() or done.exception()
    )  # retrieve the exception, so that asyncio does not log it
    await asyncio.shield(closing)
