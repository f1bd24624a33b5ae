"""The one way to the database: a pool of connections, and units of work on them."""

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
from persistence.task_status_update import StatusUpdate, moving
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
    "jit": "off",  # every statement here is short; compiling one costs more than running it
}
NO_TIME_OUTS = {"statement_timeout": "0", "lock_timeout": "0", "idle_in_transaction_session_timeout": "0"}

log = logging.getLogger("taskriver.database")


def database_url(url: str | URL) -> URL:
    """The URL with our driver in it, whichever spelling of `postgres` it came with.

    Raises:
        ValueError: it names another database.
    """
    parsed = make_url(url)
    if parsed.drivername.split("+")[0] not in {"postgres", "postgresql"}:
        raise ValueError(f"{parsed.drivername} is not supported: Taskriver runs on PostgreSQL 15 or newer.")
    return parsed.set(drivername=DRIVER)


def dsn(url: str | URL) -> str:
    """The same as the driver itself reads it."""
    return database_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def create_engine(url: str | URL, *, patient: bool = False, **options: Any) -> AsyncEngine:
    """An engine with time-outs, so that one bad statement does not block other requests.

    `COMMAND_SECONDS` applies to a server that does not answer at all. The driver then takes two more seconds to close
    the connection, so a request waits at most five. A *patient* engine has no time-outs once it is connected: a
    migration may build an index for as long as it takes.
    """
    settings = SERVER_SETTINGS | (NO_TIME_OUTS if patient else {})
    command_timeout = None if patient else COMMAND_SECONDS
    return create_async_engine(
        database_url(url),
        connect_args={"server_settings": settings, "timeout": CONNECT_SECONDS, "command_timeout": command_timeout},
        hide_parameters=True,  # parameters are people's texts and password hashes; errors end up in logs
        **options,
    )


async def connect(url: str | URL) -> Connection:
    """A bare connection of the driver's, with the same time-outs, for single statements."""
    connection = await asyncpg.connect(
        dsn(url),
        server_settings=SERVER_SETTINGS,
        timeout=CONNECT_SECONDS,
        command_timeout=COMMAND_SECONDS,
        max_cached_statement_lifetime=0,  # they are ours, and few
    )
    return cast("Connection", connection)


class Database:
    """The pools, and who is told when an event has been committed.

    *pool_size* connections are for units of work, and *reading_size* for single statements without one.
    """

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 10,
        reading_size: int = 5,
        patient: bool = False,
        keys_per_account: int = MAX_KEYS,
    ) -> None:
        """Connect to nothing yet; a *patient* one lets a transaction take its time, see `create_engine`.

        *keys_per_account* is how many idempotency keys an account may have.
        """
        self._key_counts = KeyCounts(keys_per_account)
        self.engine = create_engine(
            url,
            patient=patient,
            pool_size=pool_size,
            max_overflow=0,
            poolclass=SteadyPool,
            pool_timeout=POOL_TIMEOUT_SECONDS,
            pool_pre_ping=True,
        )
        self._lending = ConnectionPool(partial(connect, url), size=reading_size, patience=POOL_TIMEOUT_SECONDS)
        # Of its own: requests that use up the other pool must not make the process lose sight of the log.
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
        self._reader = Reader(self._lending, self.statements)
        self._moves = GroupCommit(self._lending, self._tell)
        self.recorded = 0
        """Events that were recorded and committed here."""

    def unit_of_work(
        self,
        actor: Actor | None,
        *,
        request_id: str | None = None,
        now: datetime | None = None,
        gate: asyncio.Semaphore | None = None,
        idempotency: IdempotencyKey | None = None,
    ) -> UnitOfWork:
        """A unit of work for one service call by this actor; None = nobody is signed in.

        *now* is for past deeds. Units of work with the same *gate* take turns at the pool's connections. A write with
        an *idempotency* key is made once, however often it is asked for.
        """
        return UnitOfWork(
            self._sessions,
            actor,
            request_id=request_id,
            now=now,
            on_recorded=self._tell,
            gate=gate,
            idempotency=idempotency,
            mover=self._move,
            key_counts=self._key_counts,
        )

    def session(self) -> AsyncSession:
        """A bare session, for what is not done in anybody's name."""
        return self._sessions()

    def connect(self) -> AsyncConnection:
        """A bare connection; use it as a context manager."""
        return self.engine.connect()

    def reading(self) -> ReadConnection:
        """A connection for one operation's reads, each of which sees what is committed when it begins."""
        return self._reader.reading()

    async def _move(self, move: StatusUpdate) -> TaskRow | None:
        # Who asks for it sees a statement of its own; that it is made together with others is their luck, too.
        return await self.statements.run(moving(), self._moves.make, move)

    @asynccontextmanager
    async def log(self) -> AsyncIterator[EventLog]:
        """The log, with every statement a transaction of its own, over one of few connections kept for it.

        Raises:
            Unavailable: on leaving, if the database could not answer.
        """
        try:
            async with self._log_engine.connect() as connection:
                try:
                    await _check_once(connection)
                    yield EventLog(connection, self.statements.run)
                except BaseException:
                    # After a time-out the driver would first wait for the statement it gave up: begin anew instead.
                    await connection.invalidate()
                    raise
        except Exception as error:
            raise unavailable(error) or error from error

    def on_recorded(self, listener: Callable[[], None]) -> None:
        """Have *listener* called after every commit that recorded an event; it must return at once."""
        self._listeners.append(listener)

    async def ping(self) -> None:
        """Ask the database for a sign of life.

        Raises:
            Unavailable: there is none.
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
        """How many connections requests are using now, and how many the log."""
        return _pool(self.engine).checkedout() + self._lending.lent, _pool(self._log_engine).checkedout()

    @property
    def refused_connections(self) -> tuple[int, int]:
        """How many could not be made while there were others, for requests, and for the log."""
        return _pool(self.engine).refused + self._lending.refused, _pool(self._log_engine).refused

    async def close(self) -> None:
        """Close every connection, once the moves that are under way are made."""
        await self._moves.close()
        await self._lending.close()
        await self.engine.dispose()
        await self._log_engine.dispose()

    def _tell(self, events: int) -> None:
        self.recorded += events
        for listener in self._listeners:
            try:
                listener()
            except Exception:
                # The change is committed: a listener's bug must not make it look refused.
                log.exception("a listener failed after a commit")


def _pool(engine: AsyncEngine) -> SteadyPool:
    return cast("SteadyPool", engine.pool)


async def _check_once(connection: AsyncConnection) -> None:
    """See that a new connection leads to the log that we know: the server behind the address may be another one."""
    if not connection.info.get("checked"):
        await check_database_identity(connection)
        connection.info["checked"] = True
