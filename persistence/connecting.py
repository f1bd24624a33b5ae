"""Opens connections of the driver: to one server, to one of several hosts, or through a pooler."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import asyncpg
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from persistence.address import Host, database_url, dsn, hosts_of, target_of
from persistence.pooler import Pooler
from persistence.queries.connection_pool import Connection
from persistence.server_connection import ServerConnection, StatelessConnection
from persistence.staggered import first_success

CONNECT_SECONDS = 3
COMMAND_SECONDS = 3
NEXT_HOST_SECONDS: Final = 0.3
"""How long a host may take before the next one is tried at the same time."""

TIME_OUTS = {
    "statement_timeout": "3000",
    "lock_timeout": "2000",
    "idle_in_transaction_session_timeout": "10000",
}
"""Time-outs of the server, in milliseconds."""
SERVER_SETTINGS = {
    "application_name": "taskriver",
    "timezone": "UTC",
    **TIME_OUTS,
    "jit": "off",  # all statements are short; compiling one costs more than running it
}
NO_TIME_OUTS = dict.fromkeys(TIME_OUTS, "0")
POOLED_SETTINGS: Final = {"application_name": "taskriver"}
"""The settings that a connection through a pooler starts with. Poolers refuse or ignore the others."""


class Connector:
    """Opens connections, each within `CONNECT_SECONDS` for all hosts together.

    With several hosts it starts with the one that the last connection has reached. A host that fails, or takes longer
    than `NEXT_HOST_SECONDS`, is followed by the next one.
    """

    def __init__(
        self,
        url: str | URL,
        *,
        no_timeouts: bool = False,
        pooler: Pooler = Pooler.NONE,
        connection_class: type[asyncpg.Connection] = ServerConnection,
    ) -> None:
        """Prepare, without connecting. With *no_timeouts* only the connecting has a time-out.

        Raises:
            ValueError: the URL is not valid.
        """
        parsed = database_url(url)
        self._hosts: Sequence[Host | None] = hosts_of(parsed) or (None,)
        self._dsn, self._target = dsn(parsed), target_of(parsed)
        self._no_timeouts, self._pooler, self._class = no_timeouts, pooler, connection_class
        self._first = 0

    async def __call__(self) -> Connection:
        """A new connection.

        Raises:
            OSError: no host answers in time, or one refuses the connection.
            asyncpg.PostgresError: the server refuses it.
            asyncpg.InternalClientError: none of the hosts is the primary.
        """
        async with asyncio.timeout(CONNECT_SECONDS):
            if len(self._hosts) == 1:
                return await self._open(0)
            return await self._open_one()

    async def _open_one(self) -> Connection:
        order = [(self._first + step) % len(self._hosts) for step in range(len(self._hosts))]
        attempts = [partial(self._open, index) for index in order]
        try:
            return await first_success(attempts, delay=NEXT_HOST_SECONDS, discard=_terminate)
        except ExceptionGroup as failed:
            raise _most_precise(failed.exceptions) from None

    async def _open(self, index: int) -> Connection:
        host = self._hosts[index]
        connection = await asyncpg.connect(
            self._dsn,
            host=None if host is None else host.name,
            port=None if host is None else host.port,
            target_session_attrs=self._target,
            timeout=CONNECT_SECONDS,
            connection_class=self._class,
            **options(self._pooler, no_timeouts=self._no_timeouts),
        )
        self._first = index
        return connection


def options(pooler: Pooler, *, no_timeouts: bool = False) -> dict[str, Any]:
    """The options of asyncpg that depend on the pooler and the time-outs."""
    settings = SERVER_SETTINGS | (NO_TIME_OUTS if no_timeouts else {})
    found: dict[str, Any] = {
        "server_settings": settings if pooler is Pooler.NONE else POOLED_SETTINGS,
        "command_timeout": None if no_timeouts else COMMAND_SECONDS,
        "max_cached_statement_lifetime": 0,  # there are few different statements
    }
    if pooler is Pooler.PREPARED:
        found["max_cacheable_statement_size"] = 0  # all statements have names, also long ones
    if pooler is Pooler.UNPREPARED:
        found["statement_cache_size"] = 0  # statements have no names, and are parsed again at each execution
    return found


def create_engine(
    url: str | URL, *, no_timeouts: bool = False, pooler: Pooler = Pooler.NONE, **engine_options: Any
) -> AsyncEngine:
    """An engine with time-outs, so that one bad statement does not block other requests.

    `COMMAND_SECONDS` applies to a server that does not answer at all. The driver then takes two more seconds to close
    the connection, so a request waits at most five. With *no_timeouts* only the connecting has a time-out: a migration
    may need a long time to build an index.
    """
    connector = Connector(url, no_timeouts=no_timeouts, pooler=pooler, connection_class=StatelessConnection)
    arguments: dict[str, Any] = {"async_creator_fn": partial(_created, connector)}
    if pooler is Pooler.UNPREPARED:
        arguments |= {"prepared_statement_cache_size": 0, "prepared_statement_name_func": str}
    return create_async_engine(
        database_url(url),
        connect_args=arguments,
        hide_parameters=True,  # parameters are users' texts and password hashes, and errors are logged
        **engine_options,
    )


async def connect(url: str | URL, *, no_timeouts: bool = False, pooler: Pooler = Pooler.NONE) -> Connection:
    """One connection of the driver, with the same time-outs."""
    return await Connector(url, no_timeouts=no_timeouts, pooler=pooler)()


async def _created(connector: Connector, **parsed: Any) -> Connection:
    """A connection for SQLAlchemy. The connector has read the URL itself, so what the dialect read is not used."""
    del parsed
    return await connector()


def _terminate(connection: Connection) -> None:
    connection.terminate()


def _most_precise(errors: Sequence[Exception]) -> Exception:
    """An error of a server, else that a host is no primary, else of the network."""
    ranks: tuple[type[Exception], ...] = (asyncpg.PostgresError, asyncpg.TargetServerAttributeNotMatched, OSError)
    return next((error for kind in ranks for error in errors if isinstance(error, kind)), errors[-1])
