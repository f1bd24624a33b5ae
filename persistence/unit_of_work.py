"""A unit of work: one transaction of one actor at one time."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property, wraps
from types import TracebackType
from typing import Any, Final, ParamSpec, Self, TypeVar

from domain.actor import Actor
from domain.audit import AuditEntry
from domain.errors import Refusal, Unauthenticated, Unavailable
from domain.events import ProjectEvent, RecordedEvent, TaskScopedEvent
from domain.idempotency import IdempotencyKey
from persistence.errors import unavailable
from persistence.event_log import EventLog
from persistence.group_commit import Decide, GroupCommit
from persistence.idempotency_counts import KeyCounts
from persistence.models import EventRow
from persistence.models.base import Base
from persistence.models.rows import new_row
from persistence.pagination import Page
from persistence.queries.query import Paged, Query
from persistence.repositories.access_token import AccessTokenRepository
from persistence.repositories.audit import AuditRepository
from persistence.repositories.comment import CommentRepository
from persistence.repositories.idempotency import IdempotencyRepository
from persistence.repositories.identity import IdentityRepository, SingleUseRepository
from persistence.repositories.invitation import InvitationRepository
from persistence.repositories.label import LabelRepository
from persistence.repositories.mail import LinkTokenRepository, MailRepository
from persistence.repositories.membership import MembershipRepository
from persistence.repositories.project import ProjectRepository
from persistence.repositories.rows import RowT, page_of, rows_of
from persistence.repositories.session import SessionRepository
from persistence.repositories.sign_in_code import SignInCodeRepository
from persistence.repositories.task import TaskPlaces, TaskRepository
from persistence.repositories.trash import TrashRepository
from persistence.repositories.trusted_document import TrustedDocumentRepository
from persistence.repositories.user import UserRepository
from persistence.repositories.user_deletion import UserDeletionRepository
from persistence.row_locks import RowLock, Rows, lock_statements
from persistence.transaction import SNAPSHOT, Transaction
from persistence.write_counting import WriteCounting
from persistence.write_set import WriteSet, send

Arguments = ParamSpec("Arguments")
ResultT = TypeVar("ResultT")
Service = Callable[Arguments, Coroutine[Any, Any, ResultT]]

MAX_TRIES: Final = 5
"""Attempts of a service that is `repeated_for_other_rows`."""

_CLOCK: Final = "SELECT clock_timestamp()"
_TRY_LOCK: Final = "SELECT pg_try_advisory_xact_lock(hashtext($1))"


class OtherRows(Exception):
    """Other rows decide than those that are locked.

    Which rows a service locks follows from where things are, such as the project and the parent of a task. Another
    transaction can change that before the locks are held.
    """


def repeated_for_other_rows(service: Service[Arguments, ResultT]) -> Service[Arguments, ResultT]:
    """Call a service again, in new transactions, after `OtherRows`. Nothing was written then, also no key.

    Raises:
        Unavailable: at every attempt, another transaction has moved the rows.
    """

    @wraps(service)
    async def repeated(*arguments: Arguments.args, **named: Arguments.kwargs) -> ResultT:
        for _ in range(MAX_TRIES):
            try:
                return await service(*arguments, **named)
            except OtherRows:
                continue
        raise Unavailable("Others have moved this at every attempt; try again.")

    return repeated


class UnitOfWork:
    """One transaction of one actor; without `commit` nothing is changed.

    A service locks the rows that its decision reads, applies the rules, changes locked rows, adds and removes rows,
    records events and entries of the audit log, and commits. All changes are written by one statement. If nothing but
    the rules comes between the locks and the commit, `write` does all of it. `async with uow:` can be used several
    times in a row, for work in several transactions.
    """

    def __init__(
        self,
        new_transaction: Callable[[], Transaction],
        group_commit: GroupCommit,
        key_counts: KeyCounts,
        task_places: TaskPlaces,
        actor: Actor | None,
        *,
        request_id: str | None = None,
        address: Callable[[], str] | None = None,
        now: datetime | None = None,
        on_recorded: Callable[[int], None] = lambda events: None,
        gate: asyncio.Semaphore | None = None,
        idempotency: IdempotencyKey | None = None,
        keeps_deleted_tasks: bool = True,
        counting: WriteCounting | None = None,
    ) -> None:
        """Prepare the unit of work; *gate* limits the number of concurrent units of work that share it.

        *idempotency* is the key of the write, if the client has sent one. *key_counts* is the process's cache of the
        number of keys per account, and *task_places* that of the places of tasks. Deleted tasks are put into the trash
        if it *keeps_deleted_tasks*. *address* finds the address of the client, for the audit log. *counting* counts
        the writes of the actor.
        """
        self._new_transaction = new_transaction
        self._group_commit = group_commit
        self._key_counts = key_counts
        self._gate = gate
        self._keeps_deleted_tasks = keeps_deleted_tasks
        self._actor = actor
        self._on_recorded = on_recorded
        self._address = address
        self._counting = counting
        self.cost = 1
        """What its write counts, in however many transactions; 0: nothing."""
        self.request_id = request_id
        self.idempotency = idempotency
        self.tasks = TaskRepository(self, actor, task_places)
        self._given_now = now
        self._transactions = 0
        self.write_set = WriteSet()
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
    def is_anonymous(self) -> bool:
        """Whether no user is signed in."""
        return self._actor is None

    @property
    def mutation_id(self) -> str | None:
        """The public id of the write, if the client has sent an idempotency key."""
        return self.idempotency.mutation_id(self.actor.user_id) if self.idempotency is not None else None

    @property
    def events(self) -> EventLog:
        """The event log, in this transaction."""
        return EventLog(self.transaction.fetch, write=self.transaction.write)

    @cached_property
    def audit_entries(self) -> AuditRepository:
        """The audit log."""
        return AuditRepository(self, self._actor, self._address)

    @cached_property
    def users(self) -> UserRepository:
        """Users."""
        return UserRepository(self, self._actor)

    @cached_property
    def user_deletions(self) -> UserDeletionRepository:
        """Deletions of users."""
        return UserDeletionRepository(self)

    @cached_property
    def comments(self) -> CommentRepository:
        """Comments on tasks that the actor may see."""
        return CommentRepository(self, self._actor)

    @cached_property
    def labels(self) -> LabelRepository:
        """Labels of projects that the actor may see."""
        return LabelRepository(self, self._actor)

    @cached_property
    def trash(self) -> TrashRepository:
        """Deleted tasks that can be restored."""
        return TrashRepository(self, self._actor, is_kept=self._keeps_deleted_tasks)

    @cached_property
    def sessions(self) -> SessionRepository:
        """Sessions and their tokens."""
        return SessionRepository(self, self._actor)

    @cached_property
    def sign_in_codes(self) -> SignInCodeRepository:
        """Codes with which programs sign in through a browser."""
        return SignInCodeRepository(self)

    @cached_property
    def identities(self) -> IdentityRepository:
        """Accounts at providers that are linked to users."""
        return IdentityRepository(self, self._actor)

    @cached_property
    def single_uses(self) -> SingleUseRepository:
        """What may be used only once, and was used."""
        return SingleUseRepository(self)

    @cached_property
    def access_tokens(self) -> AccessTokenRepository:
        """Personal access tokens."""
        return AccessTokenRepository(self, self._actor)

    @cached_property
    def invitations(self) -> InvitationRepository:
        """Invitations."""
        return InvitationRepository(self, self._actor)

    @cached_property
    def mails(self) -> MailRepository:
        """Mails that wait, or were sent."""
        return MailRepository(self, self._actor)

    @cached_property
    def link_tokens(self) -> LinkTokenRepository:
        """The tokens of links in mails."""
        return LinkTokenRepository(self, self._actor)

    @cached_property
    def projects(self) -> ProjectRepository:
        """The projects that the actor may see."""
        return ProjectRepository(self, self._actor)

    @cached_property
    def memberships(self) -> MembershipRepository:
        """Memberships in projects."""
        return MembershipRepository(self, self._actor)

    @cached_property
    def keys(self) -> IdempotencyRepository:
        """The idempotency keys; needed only if the client has sent one."""
        return IdempotencyRepository(self, self._key_counts)

    @cached_property
    def trusted_documents(self) -> TrustedDocumentRepository:
        """The trusted documents of all clients."""
        return TrustedDocumentRepository(self)

    @property
    def stamp(self) -> datetime | None:
        """The time for columns that decide when a row is removed: None is the time of the database's clock."""
        return self._given_now

    def time_after(self, earlier: datetime) -> datetime:
        """The time of a change of a row that was changed before at *earlier*.

        A unit of work that waits for a row began before the one that has it. The times of a row's changes increase
        nevertheless.
        """
        return max(self.now, earlier)

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
        self._transactions += 1
        self.__dict__.pop("keys", None)  # forget a key that was claimed in an earlier transaction
        self._begin_changes()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
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

    @property
    def is_alone(self) -> bool:
        """Whether the changes need a transaction of their own. A claimed key may have to wait for its duplicate."""
        return self.transaction.is_open or self.idempotency is not None

    @property
    def is_repeated(self) -> bool:
        """Whether there was a transaction before this one."""
        return self._transactions > 1

    async def rows(self, model: type[RowT], asked: Query) -> list[RowT]:
        """The rows of a query."""
        return await rows_of(self.transaction, model, asked)

    async def page(self, model: type[RowT], paged: Paged) -> Page[RowT]:
        """The rows of a page."""
        return await page_of(self.transaction, model, paged)

    async def write(self, decide: Callable[..., ResultT], *locks: RowLock) -> ResultT:
        """Lock rows, let *decide* apply the rules and make the changes, and commit; returns its result.

        *decide* gets the rows in the order of the locks; None for those that do not exist. If it raises, nothing is
        stored. It can be called twice, the second time with other values of the rows: the transaction is shared with
        other units of work, see `group_commit`, unless a row is changed meanwhile.

        Raises:
            Duplicate: a row violates a unique index; nothing is stored.
            ReferenceLost: a row violates a foreign key; nothing is stored.
            RateLimited: the user or the token has no writes left; nothing is stored.
            RuntimeError: there are changes from before.
        """
        if self.write_set:
            raise RuntimeError("Make all changes of a write in its function: it can be called twice.")

        result: ResultT
        cost = await self.count_write()

        def decided(rows: Rows) -> WriteSet:
            nonlocal result
            result = decide(*[rows.get((lock.model, lock.id)) for lock in locks])
            return self.write_set

        try:
            if not await self._write_in_group(locks, decided):
                self._begin_changes()
                decided(await self._lock(locks))
                await self._write_alone()
        except BaseException as error:
            self._begin_changes()  # a later commit must not store what was changed before the error
            if cost and isinstance(error, (Refusal, OtherRows)):
                self._forget_write(cost)
            raise
        self._notify()
        return result

    async def count_write(self) -> int:
        """Count the write of the actor, unless it is counted already; returns what was counted.

        `write` and `commit` do this before they store anything.

        Raises:
            RateLimited: the user or the token has no writes left; nothing is stored.
        """
        counting, actor, cost = self._counting, self._actor, self.cost
        if counting is None or actor is None or not cost:
            return 0
        if not counting.take_now(actor, cost):
            await counting.take(actor, cost)
        self.cost = 0
        return cost

    def _forget_write(self, cost: int) -> None:
        """Count the write no more: it was refused, or it is made again."""
        if self._counting is not None and self._actor is not None:
            self._counting.give_back(self._actor, cost)
            self.cost = cost

    async def lock(self, *locks: RowLock) -> list[Any]:
        """Lock rows and return them in this order; None for those that do not exist.

        Lock all rows that a decision reads with one call. Until the commit, other transactions can neither change them
        nor, unless the lock is shared, lock them.
        """
        rows = await self._lock(locks)
        return [rows.get((lock.model, lock.id)) for lock in locks]

    def change(self, row: Base, **values: Any) -> None:
        """Change attributes of a locked row. What is set on the row directly is not stored."""
        row.__dict__.update(values)
        self.write_set.update(row, values)

    def revise(self, row: Any, **values: Any) -> None:
        """Change attributes of a locked row that has versions: it gets the next one, and its time."""
        self.change(row, **values, version=row.version + 1, updated_at=self.time_after(row.updated_at))

    def record(self, event: RecordedEvent) -> None:
        """Record an event. It is delivered when this transaction commits.

        The event's row must be locked or new: the INSERT draws the event's id, and the ids decide the order in which a
        task's events are delivered.
        """
        row = new_row(EventRow, kind=event.kind, payload=event.to_json(), recorded_at=self.stamp)
        if isinstance(event, TaskScopedEvent):
            row.task_id, row.user_id = event.task_id, event.actor_id
            if "keys" in self.__dict__:  # a key was claimed
                self.keys.note(event.version)
        elif isinstance(event, ProjectEvent):
            row.user_id = event.actor_id
        else:
            row.user_id = event.user_id
        self.write_set.insert(row)
        self._recorded += 1

    def audit(self, entry: AuditEntry) -> None:
        """Add an entry to the audit log: it is stored if, and only if, this transaction commits."""
        self.audit_entries.add(entry)

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
            ReferenceLost: a row violates a foreign key; nothing is stored.
            RateLimited: the user or the token has no writes left; nothing is stored.
        """
        write_set = self.write_set
        if write_set:
            await self.count_write()
        if self.is_alone or (write_set and not await self._write_in_group((), lambda rows: write_set)):
            await self._write_alone()
        self._notify()

    async def _write_in_group(self, locks: Sequence[RowLock], decide: Decide) -> bool:
        """Write together with other units of work; False if nothing is written, because this is not possible."""
        if self.is_alone:
            return False
        await self.transaction.close()  # the batch needs a connection: all of them could be held by its members
        return await self._group_commit.write(locks, decide)

    async def _write_alone(self) -> None:
        await send(self.transaction, self.write_set)
        await self.transaction.commit()

    async def _lock(self, locks: Sequence[RowLock]) -> Rows:
        await self.transaction.begin()
        rows: Rows = {}
        for statement in lock_statements(locks):
            for lock, row, _ in statement.rows(await self.transaction.fetch(statement.text, statement.ids)):
                rows[lock.model, lock.id] = row
        return rows

    def _notify(self) -> None:
        """Notify the listeners for committed events; further changes belong to another transaction."""
        events = self._recorded
        self._begin_changes()
        if events:
            self._on_recorded(events)

    def _begin_changes(self) -> None:
        self.write_set = WriteSet()
        self._recorded = 0
