"""Access to the database: connection pools, and units of work."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from typing import Any, cast

import asyncpg
from sqlalchemy import text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

from domain.actor import Actor
from domain.errors import Unavailable
from domain.idempotency import MAX_KEYS, IdempotencyKey
from persistence.epoch import check_database_identity
from persistence.errors import unavailable
from persistence.event_log import EventLog
from persistence.group_commit import GroupCommit
from persistence.idempotency_counts import KeyCounts
from persistence.models import TaskRow
from persistence.queries.connection_pool import Connection, ConnectionPool
from persistence.queries.reader import ReadConnection, Reader
from persistence.sqlalchemy_pool import SteadyPool
from persistence.statement_counts import Statements
from persistence.task_status_update import StatusUpdate, update_statement
from persistence.unit_of_work import UnitOfWork

DRIVER = "postgresql+asyncpg"
POOL_TIMEOUT_SECONDS = 2
CONNECT_SECONDS = 3
COMMAND_SECONDS = 3
LOG_POOL_SIZE = 4
SERVER_SETTINGS = {
    "application_name": "taskriver",
    "timezone": "UTC",
    "statement_timeout": "3000",
    "lock_timeout": "2000",
    "idle_in_transaction_session_timeout": "10000",
    "jit": "off",  # all statements are short; compiling one costs more than running it
}
NO_TIME_OUTS = {"statement_timeout": "0", "lock_timeout": "0", "idle_in_transaction_session_timeout": "0"}

log = logging.getLogger("taskriver.database")


def database_url(url: str | URL) -> URL:
    """The URL with the driver asyncpg; `postgres` and `postgresql` are both accepted.

    Raises:
        ValueError: it names another database.
    """
    parsed = make_url(url)
    if parsed.drivername.split("+")[0] not in {"postgres", "postgresql"}:
        raise ValueError(f"{parsed.drivername} is not supported: Taskriver runs on PostgreSQL 15 or newer.")
    return parsed.set(drivername=DRIVER)


def dsn(url: str | URL) -> str:
    """The URL in the form that asyncpg reads."""
    return database_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def create_engine(url: str | URL, *, no_timeouts: bool = False, **options: Any) -> AsyncEngine:
    """An engine with time-outs, so that one bad statement does not block other requests.

    `COMMAND_SECONDS` applies to a server that does not answer at all. The driver then takes two more seconds to close
    the connection, so a request waits at most five. With *no_timeouts* only the connecting has a time-out: a migration
    may need a long time to build an index.
    """
    settings = SERVER_SETTINGS | (NO_TIME_OUTS if no_timeouts else {})
    command_timeout = None if no_timeouts else COMMAND_SECONDS
    return create_async_engine(
        database_url(url),
        connect_args={"server_settings": settings, "timeout": CONNECT_SECONDS, "command_timeout": command_timeout},
        hide_parameters=True,  # parameters are users' texts and password hashes, and errors are logged
        **options,
    )


async def connect(url: str | URL) -> Connection:
    """A connection of the driver, with the same time-outs, for single statements."""
    connection = await asyncpg.connect(
        dsn(url),
        server_settings=SERVER_SETTINGS,
        timeout=CONNECT_SECONDS,
        command_timeout=COMMAND_SECONDS,
        max_cached_statement_lifetime=0,  # there are few different statements
    )
    return cast("Connection", connection)


class Database:
    """The connection pools, and the listeners that are called after an event was committed.

    *pool_size* connections are for units of work, and *reading_size* for single statements without one.
    """

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 10,
        reading_size: int = 5,
        no_timeouts: bool = False,
        keys_per_account: int = MAX_KEYS,
    ) -> None:
        """Prepare the pools, without connecting. With *no_timeouts* there is no time limit, see `create_engine`.

        *keys_per_account* is the maximum number of idempotency keys of an account.
        """
        self._key_counts = KeyCounts(keys_per_account)
        self.engine = create_engine(
            url,
            no_timeouts=no_timeouts,
            pool_size=pool_size,
            max_overflow=0,
            poolclass=SteadyPool,
            pool_timeout=POOL_TIMEOUT_SECONDS,
            pool_pre_ping=True,
        )
        self._read_pool = ConnectionPool(partial(connect, url), size=reading_size, timeout=POOL_TIMEOUT_SECONDS)
        # A separate pool: when requests use all connections of the other pool, the process can still read the log.
        self._log_engine = create_engine(
            url,
            pool_size=LOG_POOL_SIZE,
            max_overflow=0,
            poolclass=SteadyPool,
            pool_timeout=POOL_TIMEOUT_SECONDS,
            isolation_level="AUTOCOMMIT",
        )
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False, autoflush=False)
        self._listeners: list[Callable[[], None]] = []
        self.statements = Statements(self.engine, self._log_engine)
        self._reader = Reader(self._read_pool, self.statements)
        self._group_commit = GroupCommit(self._read_pool, self._notify)
        self.recorded = 0
        """The number of events that this process has committed."""

    def unit_of_work(
        self,
        actor: Actor | None,
        *,
        request_id: str | None = None,
        now: datetime | None = None,
        gate: asyncio.Semaphore | None = None,
        idempotency: IdempotencyKey | None = None,
    ) -> UnitOfWork:
        """A unit of work for one service call of this actor; None means that no user is signed in.

        *now* sets the time of a change in the past. A *gate* limits the number of concurrent units of work that share
        it. A write with an *idempotency* key is made once, even if the request is repeated.
        """
        return UnitOfWork(
            self._sessions,
            actor,
            request_id=request_id,
            now=now,
            on_recorded=self._notify,
            gate=gate,
            idempotency=idempotency,
            apply_status_update=self._apply_status_update,
            key_counts=self._key_counts,
        )

    def session(self) -> AsyncSession:
        """A SQLAlchemy session, for work without an actor."""
        return self._sessions()

    def connect(self) -> AsyncConnection:
        """A SQLAlchemy connection; use it as a context manager."""
        return self.engine.connect()

    def reading(self) -> ReadConnection:
        """A connection for the reads of one operation. Each read sees what is committed when it starts."""
        return self._reader.reading()

    async def _apply_status_update(self, update: StatusUpdate) -> TaskRow | None:
        # Each caller counts one statement, even if it is executed together with the updates of others.
        return await self.statements.run(update_statement(), self._group_commit.apply, update)

    @asynccontextmanager
    async def log(self) -> AsyncIterator[EventLog]:
        """The event log, on a connection of its own pool. Each statement is its own transaction.

        Raises:
            Unavailable: at the end of the block, if the database was unavailable.
        """
        try:
            async with self._log_engine.connect() as connection:
                try:
                    await _check_once(connection)
                    yield EventLog(connection, self.statements.run)
                except BaseException:
                    # After a time-out the driver would wait for the cancelled statement. A new connection does not.
                    await connection.invalidate()
                    raise
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
        try:
            async with self.connect() as connection:
                await connection.execute(text("SELECT 1"))
        except Exception as error:
            raise unavailable(error) or Unavailable("The database does not answer.") from error

    @property
    def engines(self) -> tuple[AsyncEngine, AsyncEngine]:
        """The engine of requests, and that of the log."""
        return self.engine, self._log_engine

    @property
    def connections(self) -> tuple[int, int]:
        """The number of connections in use by requests, and by the event log."""
        return _pool(self.engine).checkedout() + self._read_pool.acquired, _pool(self._log_engine).checkedout()

    @property
    def refused_connections(self) -> tuple[int, int]:
        """How often a pool could not grow although it had connections: for requests, and for the event log."""
        return _pool(self.engine).refused + self._read_pool.refused, _pool(self._log_engine).refused

    async def close(self) -> None:
        """Close all connections, after the status updates in progress are committed."""
        await self._group_commit.close()
        await self._read_pool.close()
        await self.engine.dispose()
        await self._log_engine.dispose()

    def _notify(self, events: int) -> None:
        self.recorded += events
        for listener in self._listeners:
            try:
                listener()
            except Exception:
                # The change is committed. An error of a listener must not make it look failed.
                log.exception("a listener failed after a commit")


def _pool(engine: AsyncEngine) -> SteadyPool:
    return cast("SteadyPool", engine.pool)


async def _check_once(connection: AsyncConnection) -> None:
    """Check the database's identity once per connection: the address may lead to another server now."""
    if not connection.info.get("checked"):
        await check_database_identity(connection)
        connection.info["checked"] = True
