"""Reads the configuration of a PgBouncer from its admin console.

The console understands simple queries only (pgbouncer.org/usage), and asyncpg returns no rows of these. So asyncpg
signs in, and the messages after that are read here (PostgreSQL, 55.7).
"""

import asyncio
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import asyncpg
from sqlalchemy.engine import URL

from persistence.address import ANY, TARGET, database_url
from persistence.connecting import Connector
from persistence.pooler import Pooler

CONSOLE: Final = "pgbouncer"
"""The name of the database that is the console."""
SECONDS: Final = 3.0
_HEAD: Final = 5
"""The bytes of a message before its body: the kind, and the length without the kind."""

Record = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class PgBouncer:
    """A PgBouncer and the pool of one database.

    `clients` is how many clients it accepts, and `sessions` how many sessions of PostgreSQL the pool can have. With
    `prepared_statements` 0 it does not manage prepared statements.
    """

    version: str
    pool_mode: str
    clients: int
    sessions: int
    prepared_statements: int


async def read_pgbouncer(url: str | URL) -> PgBouncer | None:
    """The PgBouncer behind *url*; None if there is none, or if its users must not read the configuration."""
    parsed = database_url(url)
    console_url = parsed.set(database=CONSOLE).update_query_dict({TARGET: ANY})  # a console is no primary
    try:
        async with asyncio.timeout(SECONDS):
            connection = await Connector(console_url, pooler=Pooler.UNPREPARED)()
            try:
                console = _Console(connection._transport)
                version = await console.rows("SHOW VERSION")
                config = {row["key"]: row["value"] for row in await console.rows("SHOW CONFIG")}
                databases = await console.rows("SHOW DATABASES")
            finally:
                connection.terminate()
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, _Refused):
        return None
    name = parsed.database or parsed.username
    pool = next((row for row in databases if row["name"] == name), {})
    return PgBouncer(
        version=(version[0]["version"] or "").removeprefix("PgBouncer "),
        pool_mode=pool.get("pool_mode") or config["pool_mode"] or "",
        clients=_number(config.get("max_client_conn")),
        sessions=_sessions(config, pool),
        prepared_statements=_number(config.get("max_prepared_statements")),
    )


def _sessions(config: Mapping[str | None, str | None], pool: Record) -> int:
    """The most sessions of a pool. 0 means that there is no limit, except for the size."""
    size = _number(pool.get("pool_size")) or _number(config.get("default_pool_size"))
    reserve = pool.get("reserve_pool_size", pool.get("reserve_pool"))  # its name depends on the version
    most = size + (_number(reserve) or _number(config.get("reserve_pool_size")))
    limits = [_number(pool.get("max_connections")), _number(config.get("max_user_connections"))]
    return min([most, *(limit for limit in limits if limit)])


def _number(text: str | None) -> int:
    return int(text) if text is not None and text.isdecimal() else 0


class _Refused(Exception):
    """The console refuses a query, or has closed the connection."""


class _Console(asyncio.Protocol):
    """Executes simple queries, one at a time, on a connection that has signed in."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._received = bytearray()
        self._result: asyncio.Future[list[Record]] | None = None
        self._columns: list[str] = []
        self._rows: list[Record] = []
        transport.set_protocol(self)

    async def rows(self, query: str) -> list[Record]:
        """The rows of a query, by column.

        Raises:
            _Refused: there is no result.
        """
        self._rows, self._result = [], asyncio.get_running_loop().create_future()
        text = query.encode() + b"\0"
        self._transport.write(b"Q" + struct.pack("!i", len(text) + 4) + text)
        return await self._result

    def data_received(self, data: bytes) -> None:
        """Process all messages that are complete."""
        self._received += data
        while len(self._received) >= _HEAD:
            (length,) = struct.unpack_from("!i", self._received, 1)
            if len(self._received) <= length:
                return
            kind, body = self._received[:1], bytes(self._received[_HEAD : length + 1])
            del self._received[: length + 1]
            self._process(bytes(kind), body)

    def connection_lost(self, exc: Exception | None) -> None:
        """End the query in progress."""
        self._end(_Refused())

    def _process(self, kind: bytes, body: bytes) -> None:
        if kind == b"T":
            self._columns = _names(body)
        elif kind == b"D":
            self._rows.append(dict(zip(self._columns, _values(body), strict=True)))
        elif kind == b"E":
            self._end(_Refused())
        elif kind == b"Z":
            self._end(None)

    def _end(self, error: Exception | None) -> None:
        if self._result is None or self._result.done():
            return
        if error is not None:
            self._result.set_exception(error)
        else:
            self._result.set_result(self._rows)


def _names(body: bytes) -> list[str]:
    """The names of the columns, from a row description."""
    names, at = [], 2
    while at < len(body):
        end = body.index(0, at)
        names.append(body[at:end].decode())
        at = end + 19  # what follows a name: the ids of table, column and type, a size, a modifier and a format
    return names


def _values(body: bytes) -> list[str | None]:
    """The values of a row; None for NULL."""
    values: list[str | None] = []
    at = 2
    while at < len(body):
        (length,) = struct.unpack_from("!i", body, at)
        at += 4
        values.append(None if length < 0 else body[at : at + length].decode())
        at += max(length, 0)
    return values
