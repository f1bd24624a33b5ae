"""What a database contains, and how two states of it differ."""

from collections import Counter
from collections.abc import Mapping

import asyncpg

Contents = Mapping[str, list[str]]
"""All rows by table, as texts in their order."""

_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
_LAST_POSITION = "SELECT CASE WHEN bool_and(position IS NOT NULL) THEN max(position) END FROM events"


async def contents_of(url: str) -> Contents:
    """Every row of every table, in one snapshot."""
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            tables = [row["tablename"] for row in await connection.fetch(_TABLES)]
            return {table: await _rows(connection, table) for table in tables}
    finally:
        await connection.close()


async def last_position(url: str) -> int | None:
    """The last position of the log; None while it has events without a position."""
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        position: int | None = await connection.fetchval(_LAST_POSITION)
        return position
    finally:
        await connection.close()


async def _rows(connection: asyncpg.Connection, table: str) -> list[str]:
    rows = await connection.fetch(f'SELECT t::text FROM "{table}" AS t ORDER BY 1')  # noqa: S608 - of the catalogue
    return [row[0] for row in rows]


def differences(expected: Contents, found: Contents, *, without: frozenset[str] = frozenset()) -> list[str]:
    """One line for each table whose rows differ, except for the tables in *without*."""
    lines = []
    for table in sorted((expected.keys() | found.keys()) - without):
        if table not in found or table not in expected:
            lines.append(f"{table}: the table is {'missing' if table not in found else 'new'}")
            continue
        before, after = Counter(expected[table]), Counter(found[table])
        if before != after:
            lines.append(f"{table}: {(before - after).total()} rows missing, {(after - before).total()} unexpected")
    return lines


def count_rows(contents: Contents) -> int:
    """The number of rows of all tables."""
    return sum(map(len, contents.values()))
