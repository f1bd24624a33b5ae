"""Other databases beside those of the comparison, for measurements that must not change its rows."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import asyncpg
import uvloop

from benchmarks import dataset

_EMPTY: Final = "without_tasks"


@contextmanager
def without_tasks(ours: str, name: str) -> Iterator[str]:
    """The URL of a database with our tables, the users and no task. It exists in this block only."""
    uvloop.run(_copy(ours, name))
    try:
        yield _beside(ours, name)
    finally:
        uvloop.run(_execute(_beside(ours, "postgres"), f'DROP DATABASE "{name}" WITH (FORCE)'))


async def _copy(ours: str, name: str) -> None:
    server = _beside(ours, "postgres")
    if not await _exists(server, _EMPTY):
        unfinished = f"{_EMPTY}_unfinished"
        await _execute(server, f'DROP DATABASE IF EXISTS "{unfinished}"', f'CREATE DATABASE "{unfinished}"')
        await dataset.fill_ours(_beside(ours, unfinished), tasks=0)
        await _execute(server, f'ALTER DATABASE "{unfinished}" RENAME TO "{_EMPTY}"')
    drop = f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'
    await _execute(server, drop, f'CREATE DATABASE "{name}" TEMPLATE "{_EMPTY}"')


async def _exists(server: str, name: str) -> bool:
    connection = await asyncpg.connect(dataset.plain(server))
    try:
        return bool(await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", name))
    finally:
        await connection.close()


async def _execute(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(dataset.plain(url))
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def _beside(url: str, name: str) -> str:
    return f"{url.rpartition('/')[0]}/{name}"
