"""Databases with many tasks. They are kept between runs."""

import time
import zlib
from pathlib import Path
from typing import Any, Final

import asyncpg

import migrations
from benchmarks.dataset import plain
from cli.output import say
from persistence.database import Database
from persistence.migrations import upgrade
from persistence.models import membership_id

_ROWS: Final = Path(__file__).with_name("tasks.sql").read_text(encoding="utf-8")
_SMALL_PROJECT: Final = 500
_LEAST_USERS: Final = 1_000
_INDEXES: Final = """
SELECT c.relname AS name, concat_ws('; ', pg_get_indexdef(i.indexrelid), (
    SELECT string_agg(
        format('ALTER INDEX %I ALTER COLUMN %s SET STATISTICS %s', c.relname, attnum, attstattarget), '; ')
    FROM pg_attribute WHERE attrelid = i.indexrelid AND attstattarget IS NOT NULL)) AS definition
FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
WHERE i.indrelid IN ('tasks'::regclass, 'task_texts'::regclass) AND NOT i.indisprimary
"""
_MARK: Final = "filled "


async def database_of(server_url: str, tasks: int) -> str:
    """The URL of a database with this number of tasks on the server of *server_url*; it is created if necessary."""
    name = f"tasks_{tasks}"
    url = f"{server_url.rpartition('/')[0]}/{name}"
    mark = _MARK + str(hash_of_rows())
    connection = await asyncpg.connect(plain(server_url))
    try:
        found = await connection.fetchval(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = $1", name
        )
        if found == mark:
            return url
        await connection.execute(f'DROP DATABASE IF EXISTS "{name}"')
        await connection.execute(f'CREATE DATABASE "{name}"')
        await _fill(url, tasks)
        await connection.execute(f"COMMENT ON DATABASE \"{name}\" IS '{mark}'")
    finally:
        await connection.close()
    return url


def users_of(tasks: int) -> int:
    """The number of users in a database with this number of tasks."""
    return max(_LEAST_USERS, tasks // 100)


def hash_of_rows() -> int:
    """Changes when the rows do, or the newest migration."""
    versions = sorted(path.name for path in (Path(migrations.__file__).parent / "versions").glob("*.py"))
    return zlib.crc32("".join([_ROWS, *versions]).encode())


async def _fill(url: str, tasks: int) -> None:
    database = Database(url)
    await upgrade(database.engine)
    await database.close()
    values = {"TASKS": tasks, "USERS": users_of(tasks), "SMALL": max(1, tasks // 4 // _SMALL_PROJECT)}
    rows = _ROWS
    for name, value in values.items():
        rows = rows.replace(name, f"{value}::bigint")
    connection = await asyncpg.connect(plain(url))
    try:
        began = time.monotonic()
        indexes = await connection.fetch(_INDEXES)
        await connection.execute("; ".join(f"DROP INDEX {each['name']}" for each in indexes))
        await connection.execute(rows)
        await _name_memberships(connection)
        say(f"{tasks:,} tasks: rows written after {time.monotonic() - began:,.0f} s")
        await connection.execute("SET maintenance_work_mem = '1GB'")
        for each in indexes:
            begun = time.monotonic()
            await connection.execute(each["definition"])
            say(f"  {each['name']}: {time.monotonic() - begun:,.1f} s")
        await connection.execute("VACUUM ANALYZE")
        say(f"{tasks:,} tasks: ready after {time.monotonic() - began:,.0f} s")
    finally:
        await connection.close()


async def _name_memberships(connection: "asyncpg.Connection[Any]") -> None:
    """Give the memberships the ids by which they are locked."""
    found = await connection.fetch("SELECT id, project_id, user_id FROM memberships")
    old, new = [each["id"] for each in found], [membership_id(each["project_id"], each["user_id"]) for each in found]
    await connection.execute(
        "UPDATE memberships SET id = new FROM unnest($1::uuid[], $2::uuid[]) AS pairs (old, new) WHERE id = old",
        old,
        new,
    )
