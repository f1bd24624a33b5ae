"""The transactions that hold locks on the application's tables."""

from typing import Final

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

_MOST: Final = 3
_HOLDERS: Final = text("""
    SELECT l.pid, a.application_name AS application, a.usename AS name, a.state,
           extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS seconds,
           string_agg(DISTINCT c.relname, ', ' ORDER BY c.relname) AS tables
    FROM pg_locks l
    JOIN pg_class c ON c.oid = l.relation AND c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
    LEFT JOIN pg_stat_activity a ON a.pid = l.pid
    WHERE l.granted AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND l.pid IS DISTINCT FROM pg_backend_pid()
    GROUP BY 1, 2, 3, 4, 5
    ORDER BY seconds DESC NULLS FIRST
    LIMIT :most
""")


async def lock_holders(connection: AsyncConnection) -> str:
    """A description of the oldest other transactions that hold locks on the tables; empty if there are none."""
    rows = await connection.execute(_HOLDERS, {"most": _MOST})
    return "; ".join(_words(row) for row in rows)


def _words(row: Row[tuple[object, ...]]) -> str:
    if row.pid is None:
        return f"a prepared transaction (see pg_prepared_xacts) has {row.tables} locked"
    application = row.application or "an application without a name"
    who = f"{application}, user {row.name}, {row.state} for {row.seconds or 0:.0f} s"
    return f"pid {row.pid} ({who}) has {row.tables} locked"
