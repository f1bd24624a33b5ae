"""Diagnostics of the database for `taskriver doctor`, the metrics and the start of a server."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from persistence.database import LOG_POOL_SIZE

OLDEST_VERSION: Final = 15
EXTENSION: Final = "pg_trgm"

_SERVER: Final = text("""
    SELECT current_setting('server_version') AS version,
           current_setting('server_version_num')::int / 10000 AS major,
           clock_timestamp() AS clock,
           pg_is_in_recovery() AS standby,
           pg_database_size(current_database()) AS size,
           EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_trgm') AS extension,
           (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS in_use,
           least(
               current_setting('max_connections')::int
                   - current_setting('superuser_reserved_connections')::int
                   - coalesce(current_setting('reserved_connections', true), '0')::int,
               nullif((SELECT datconnlimit FROM pg_database WHERE datname = current_database()), -1),
               nullif((SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user), -1)
           ) AS connections
""")
_LOG: Final = text("""
    SELECT h.position, h.trimmed, h.cursor_format,
           (SELECT count(*) FROM events WHERE position IS NULL AND id >= numbering_floor()) AS unnumbered,
           (SELECT clock_timestamp() - recorded_at FROM events WHERE position IS NULL AND id >= numbering_floor()
            ORDER BY id LIMIT 1) AS lag,
           (SELECT recorded_at FROM events e WHERE e.position > h.trimmed ORDER BY e.position LIMIT 1) AS oldest
    FROM event_head h
""")


_SNAPSHOTS: Final = text("""
    SELECT holder, age, behind FROM (
        SELECT CASE WHEN backend_type = 'client backend'
                    THEN format('the connection %s (%s, %s)', pid, coalesce(nullif(application_name, ''), usename),
                                state)
                    ELSE 'a process of the server: ' || backend_type END AS holder,
               extract(epoch FROM clock_timestamp() - xact_start)::float AS age,
               greatest(age(backend_xmin), age(backend_xid)) AS behind
        FROM pg_stat_activity
        WHERE (backend_xmin IS NOT NULL OR backend_xid IS NOT NULL) AND pid <> pg_backend_pid()
        UNION ALL
        SELECT 'the replication slot ' || slot_name, NULL, greatest(age(xmin), age(catalog_xmin))
        FROM pg_replication_slots WHERE xmin IS NOT NULL OR catalog_xmin IS NOT NULL
        UNION ALL
        SELECT 'the prepared transaction ' || gid, extract(epoch FROM clock_timestamp() - prepared)::float,
               age(transaction)
        FROM pg_prepared_xacts
    ) AS snapshots
    ORDER BY behind DESC, age DESC NULLS LAST LIMIT 1
""")
_STANDBYS: Final = text("""
    SELECT count(*) AS standbys, count(*) FILTER (WHERE state IS NULL) AS hidden,
           count(*) FILTER (WHERE sync_state IN ('sync', 'quorum')) AS synchronous,
           coalesce(max(pg_wal_lsn_diff(
               CASE WHEN NOT pg_is_in_recovery() THEN pg_current_wal_lsn() END, replay_lsn
           )), 0)::bigint AS bytes_behind,
           coalesce(extract(epoch FROM max(replay_lag)), 0)::float AS seconds_behind,
           current_setting('synchronous_standby_names') <> ''
               AND current_setting('synchronous_commit') NOT IN ('off', 'local') AS is_synchronous,
           (SELECT count(*) FROM pg_stat_activity
            WHERE wait_event = 'SyncRep' AND query_start < clock_timestamp() - interval '2 seconds') AS waiting_commits
    FROM pg_stat_replication WHERE state IS DISTINCT FROM 'backup'
""")
_TRANSACTION_IDS: Final = text("""
    SELECT datname AS database, age(datfrozenxid)::bigint AS transactions, mxid_age(datminmxid)::bigint AS multixacts,
           current_setting('autovacuum_freeze_max_age')::bigint AS freeze_max_age
    FROM pg_database ORDER BY greatest(age(datfrozenxid), mxid_age(datminmxid)) DESC LIMIT 1
""")
_SERVER_KEY: Final = text("""
    SELECT concat_ws('/', pg_postmaster_start_time(), oid) FROM pg_database WHERE datname = current_database()
""")


@dataclass(frozen=True, slots=True)
class Standbys:
    """The standbys that are connected, and how far the slowest is behind.

    Of the `hidden` ones this user may see nothing. `is_synchronous` tells whether commits wait for a standby, and
    `waiting_commits` how many have waited for longer than two seconds.
    """

    standbys: int
    hidden: int
    synchronous: int
    bytes_behind: int
    seconds_behind: float
    is_synchronous: bool
    waiting_commits: int


@dataclass(frozen=True, slots=True)
class TransactionIds:
    """The database with the oldest unfrozen transaction, and its age in transactions and in multixacts.

    `freeze_max_age` is the age at which PostgreSQL begins to freeze by itself.
    """

    database: str
    transactions: int
    multixacts: int
    freeze_max_age: int


@dataclass(frozen=True, slots=True)
class OpenSnapshot:
    """The oldest open snapshot: the server cannot remove dead rows that this snapshot may see.

    `age_seconds` is None if it is unknown, as for a replication slot; `behind` is the number of transactions since.
    """

    holder: str
    age_seconds: float | None
    behind: int


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """The database server. `size` is in bytes; `connections` is how many connections this user may open."""

    version: str
    major: int
    clock: datetime
    standby: bool
    size: int
    extension: bool
    in_use: int
    connections: int


@dataclass(frozen=True, slots=True)
class LogStatus:
    """The event log: the last position, the last trimmed position, and the events that have no position yet.

    `cursor_format` is that of new stream cursors.
    """

    position: int
    trimmed: int
    unnumbered: int
    lag_seconds: float
    oldest: datetime | None
    """When the oldest stored event was recorded."""
    cursor_format: int


async def read_server_status(connection: AsyncConnection) -> ServerStatus:
    """The status of the server of this connection."""
    row: Row[tuple[object, ...]] = (await connection.execute(_SERVER)).one()
    return ServerStatus(**row._mapping)


async def read_oldest_snapshot(connection: AsyncConnection) -> OpenSnapshot | None:
    """The oldest snapshot, except that of this connection. It prevents the server from removing dead rows."""
    row = (await connection.execute(_SNAPSHOTS)).one_or_none()
    return OpenSnapshot(row.holder, row.age, row.behind) if row is not None else None


async def read_standbys(connection: AsyncConnection) -> Standbys:
    """The standbys of the server of this connection."""
    return Standbys(**(await connection.execute(_STANDBYS)).one()._mapping)


async def read_transaction_ids(connection: AsyncConnection) -> TransactionIds:
    """How far PostgreSQL is from running out of transaction ids."""
    return TransactionIds(**(await connection.execute(_TRANSACTION_IDS)).one()._mapping)


async def read_server_key(connection: AsyncConnection) -> str:
    """A text that is the same for two connections only if they lead to the same database of the same server."""
    return str(await connection.scalar(_SERVER_KEY))


async def read_log_status(connection: AsyncConnection) -> LogStatus:
    """The status of the event log; the database must be migrated."""
    row = (await connection.execute(_LOG)).one()
    lag = 0.0 if row.lag is None else max(row.lag.total_seconds(), 0.0)
    return LogStatus(row.position, row.trimmed, row.unnumbered, lag, row.oldest, row.cursor_format)


def connections_of(workers: int, pool_size: int) -> int:
    """The maximum number of connections of a server with this number of processes."""
    return workers * (pool_size + LOG_POOL_SIZE)
