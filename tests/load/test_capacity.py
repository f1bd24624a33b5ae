"""The measurements of capacity, in small: every request succeeds, every listener receives what it should."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import asyncpg
import pytest

import embedded
from benchmarks.capacity import connections, members, tasks
from benchmarks.capacity.__main__ import SHORT
from benchmarks.capacity.filling import database_of
from benchmarks.capacity.tasks import requests
from benchmarks.capacity.tokens import numbered
from benchmarks.dataset import plain
from persistence.models import TaskRow, TaskTextRow

INDEXES: Final = "SELECT indexname FROM pg_indexes WHERE tablename IN ('tasks', 'task_texts')"
COUNTS: Final = """
SELECT (SELECT count(*) FROM tasks), (SELECT count(*) FROM task_texts),
       (SELECT count(*) FROM tasks WHERE project_id IS NOT NULL), (SELECT count(*) FROM tasks WHERE owner_id = $1)
"""
OID: Final = "SELECT oid FROM pg_database WHERE datname = 'tasks_2000'"


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[embedded.Servers]:
    """Servers on which databases of any name can be created."""
    with embedded.running(tmp_path_factory.mktemp("capacity") / "servers", durable=False) as servers:
        yield servers


async def test_tasks(servers: embedded.Servers, tmp_path: Path):
    """Each kind of request is measured for each size, and each list has tasks in it."""
    sizes = SHORT.sizes["tasks"]

    rooms, costs = await tasks.measure(servers, tmp_path, sizes, rounds=1, number=2, imported=10)

    assert list(rooms) == list(sizes)
    assert all(room.rows > 0 and room.indexes > room.search > 0 and room.events > 0 for room in rooms.values())
    assert list(costs) == [asked.name for asked in requests(sizes[0], 1)]
    assert all(len(found) == len(sizes) for found in costs.values())
    assert all(cost.used > 0 for found in costs.values() for [cost] in found.values())


async def test_a_database_is_filled_once(servers: embedded.Servers):
    """It has all indexes of its tables, also those that are made after the rows."""
    url = await database_of(servers.database_url, 2_000)
    connection = await asyncpg.connect(plain(url))
    try:
        first = await connection.fetchval(OID)
        indexes = {each["indexname"] for each in await connection.fetch(INDEXES)}
        counts = await connection.fetchrow(COUNTS, numbered(tasks.MEMBER))
        assert await database_of(servers.database_url, 2_000) == url
        assert await connection.fetchval(OID) == first
    finally:
        await connection.close()
    assert counts is not None
    assert tuple(counts) == (2_000, 2_000, 1_000, 1)
    assert indexes >= {str(index.name) for row in (TaskRow, TaskTextRow) for index in row.__table__.indexes}  # type: ignore[attr-defined]  # a class of the mapper has a table


async def test_members(servers: embedded.Servers):
    """Every member who listens receives every change."""
    found = await members.measure_projects(servers, [1, 3], number=2)

    assert [(each.members, each.listening) for each in found] == [(1, 0), (1, 1), (3, 0), (3, 3)]
    assert [each.last_delivery is None for each in found] == [True, False, True, False]
    assert all(cost.used > 0 for each in found for cost in (each.change, each.add, each.remove))


async def test_projects_of_users(servers: embedded.Servers):
    """The users find their tasks, and receive the changes."""
    found = await members.measure_users(servers, [1, 3], users=2, number=2)

    assert [each.projects for each in found] == [1, 3]
    assert all(each.delivery > 0 and each.opening > 0 for each in found)


async def test_connections(servers: embedded.Servers):
    """Every socket receives every change, also those that were made while the process was down."""
    [found] = await connections.measure(servers, [4], number=2, idle_seconds=0.1)

    assert found.sockets == 4
    assert 0 < found.reaches_all <= found.longest
    assert 0 < found.restart.subscribed <= found.restart.received
