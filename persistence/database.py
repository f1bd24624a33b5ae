"""Access to the database: connection pools, and units of work."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial

from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.pool import NullPool

from domain.actor import Actor
from domain.errors import Unavailable
from domain.idempotency import MAX_KEYS, IdempotencyKey
from persistence.connecting import Connector, create_engine
from persistence.epoch import KnownServer, OtherServer
from persistence.errors import unavailable
from persistence.event_log import EventLog
from persistence.group_commit import GroupCommit
from persistence.idempotency_counts import KeyCounts
from persistence.pooler import Pooler
from persistence.queries.connection_pool import ConnectionPool
from persistence.queries.reader import ReadConnection, Reader
from persistence.repositories.task import TaskPlaces
from persistence.statement_counts import Statements
from persistence.transaction import Transaction
from persistence.unit_of_work import UnitOfWork
from persistence.write_counting import WriteCounting

POOL_TIMEOUT_SECONDS = 2
LOG_POOL_SIZE = 4
"""Connections for numbering and polling, two replays, and a read of tasks for deliveries."""

log = logging.getLogger("taskriver.database")


class Database:
    """The connection pools, and the listeners that are called after an event was committed."""

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 10,
        no_timeouts: bool = False,
        pooler: Pooler = Pooler.NONE,
        keys_per_account: int = MAX_KEYS,
        keeps_deleted_tasks: bool = True,
    ) -> None:
        """Prepare the pools, without connecting. With *no_timeouts* there is no time limit, see `connecting`.

        *pooler* is what the URL leads to. *pool_size* connections serve requests. *keys_per_account* is the maximum
        number of idempotency keys of an account. Deleted tasks are put into the trash if it *keeps_deleted_tasks*.
        """
        self._keeps_deleted_tasks = keeps_deleted_tasks
        self._key_counts = KeyCounts(keys_per_account)
        self._task_places = TaskPlaces()
        connector = Connector(url, no_timeouts=no_timeouts, pooler=pooler)
        self._pool = ConnectionPool(connector, size=pool_size, timeout=POOL_TIMEOUT_SECONDS)
        # A separate pool: when requests use all connections of the other pool, the process can still read the log and
        # deliver events.
        self._log_pool = ConnectionPool(connector, size=LOG_POOL_SIZE, timeout=POOL_TIMEOUT_SECONDS)
        self.log_server = KnownServer()
        self.engine = create_engine(url, no_timeouts=no_timeouts, pooler=pooler, poolclass=NullPool)
        """For migrations and diagnostics: each connection is opened for one use."""
        self._listeners: list[Callable[[], None]] = []
        self.statements = Statements()
        self._reader = Reader(self._pool, self.statements)
        self._group_commit = GroupCommit(self._pool, self.statements)
        self.counting: WriteCounting | None = None
        """Counts the writes of users and tokens; None: they are not limited."""
        self.recorded = 0
        """The number of events that this process has committed."""

    def unit_of_work(
        self,
        actor: Actor | None,
        *,
        request_id: str | None = None,
        address: Callable[[], str] | None = None,
        now: datetime | None = None,
        gate: asyncio.Semaphore | None = None,
        idempotency: IdempotencyKey | None = None,
    ) -> UnitOfWork:
        """A unit of work for one service call of this actor; None means that no user is signed in.

        *address* finds the client's address, if there is a client; the audit log has it. *now* sets the time of a
        change in the past. A *gate* limits the number of concurrent units of work that share it. A write with an
        *idempotency* key is made once, even if the request is repeated.
        """
        return UnitOfWork(
            self._new_transaction,
            self._group_commit,
            self._key_counts,
            self._task_places,
            actor,
            request_id=request_id,
            address=address,
            now=now,
            on_recorded=self._notify,
            gate=gate,
            idempotency=idempotency,
            keeps_deleted_tasks=self._keeps_deleted_tasks,
            counting=self.counting,
        )

    def delivery_unit_of_work(self, actor: Actor) -> UnitOfWork:
        """A unit of work that reads tasks for deliveries, on a connection of the log: it does not wait for requests."""
        return UnitOfWork(
            partial(Transaction, self._log_pool, self.statements),
            self._group_commit,
            self._key_counts,
            self._task_places,
            actor,
        )

    def connect(self) -> AsyncConnection:
        """A SQLAlchemy connection for diagnostics; use it as a context manager."""
        return self.engine.connect()

    def reading(self) -> ReadConnection:
        """A connection for the reads of one operation. Each read sees what is committed when it starts."""
        return self._reader.reading()

    @asynccontextmanager
    async def log(self) -> AsyncIterator[EventLog]:
        """The event log, on a connection of its own pool. Each statement is its own transaction.

        A connection that leads to another server is closed.

        Raises:
            Unavailable: at the end of the block, if the database was unavailable.
        """
        transaction = Transaction(self._log_pool, self.statements)
        try:
            try:
                yield EventLog(transaction.fetch, self.log_server, write=transaction.write)
            except OtherServer:
                transaction.discard()
                raise
            finally:
                await transaction.close()
        except Exception as error:
            raise unavailable(error) or error from error

    def on_recorded(self, listener: Callable[[], None]) -> None:
        """Call *listener* after every commit with an event. The listener must not block."""
        self._listeners.append(listener)

    async def ping(self) -> None:
        """Check that the database answers.

        Raises:
            Unavailable: the database does not answer.
        """
        transaction = self._new_transaction()
        try:
            await transaction.fetch("SELECT 1")
        except Exception as error:
            raise unavailable(error) or Unavailable("The database does not answer.") from error
        finally:
            await transaction.close()

    @property
    def connections(self) -> tuple[int, int]:
        """The number of connections in use by requests, and by the event log."""
        return self._pool.acquired, self._log_pool.acquired

    @property
    def refused_connections(self) -> tuple[int, int]:
        """How often a pool could not grow although it had connections: for requests, and for the event log."""
        return self._pool.refused, self._log_pool.refused

    async def close(self) -> None:
        """Close all connections, after the changes in progress are committed."""
        await self._group_commit.close()
        await self._pool.close()
        await self._log_pool.close()
        await self.engine.dispose()

    def _new_transaction(self) -> Transaction:
        return Transaction(self._pool, self.statements)

    def _notify(self, events: int) -> None:
        self.recorded += events
        for listener in self._listeners:
            try:
                listener()
            except Exception:
                # The change is committed. An error of a listener must not make it look failed.
                log.exception("a listener failed after a commit")
