"""Processor time of pages of projects, compared with a page of personal tasks, in a large database (TASKS=…)."""

import os
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

import pytest

from domain.actor import Actor
from domain.task import TaskStatus
from domain.user import Role
from persistence.database import Database
from persistence.pagination import PageRequest
from persistence.queries.reader import ReadConnection, Shape
from persistence.queries.statement import Statement
from persistence.queries.task import task_page
from persistence.queries.task_list import EVERYTHING, TaskFilter, TaskOrder
from tests.support.figures import Figures
from tests.support.transactions import driver_connection
from tests.support.waiting import HANG_SECONDS

TASKS: Final = int(os.environ.get("TASKS", "100000"))
PAGES: Final = 200
_SHAPE: Final = Shape(("id", "title", "status", "priority", "version", "created_at", "owner.username"))
_PID: Final = Statement("SELECT pg_backend_pid()", (), {})
_TICKS: Final = os.sysconf("SC_CLK_TCK")

# User 1 owns a fifth of the personal tasks, which are a half of all, and is a member of projects 1 to 50 of 100. Each
# task of a project has one of ten labels of the project; every fiftieth is assigned to user 1.
_FILL: Final = """
SET statement_timeout = 0; SET session_replication_role = replica;
CREATE FUNCTION pg_temp.id(n bigint) RETURNS uuid LANGUAGE sql
RETURN ('00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid;
INSERT INTO users (id, username, email, password_hash, role, is_active, access_version, created_at, updated_at)
SELECT pg_temp.id(i), 'user' || i, 'user' || i || '@example.org', '!', 'USER', true, 1, now(), now()
FROM generate_series(1, 100) AS i;
INSERT INTO projects (id, key, name, description, is_archived, version, created_at, updated_at)
SELECT pg_temp.id(i), 'P' || i, 'Project', '', false, 1, now(), now() FROM generate_series(1, 100) AS i;
INSERT INTO memberships (id, project_id, user_id, role, created_at)
SELECT gen_random_uuid(), pg_temp.id(p), pg_temp.id(u), 'MEMBER', now()
FROM generate_series(1, 100) AS p, generate_series(1, 20) AS u WHERE u > 1 OR p <= 50;
INSERT INTO labels (id, project_id, name, folded_name, color, version, created_at, updated_at)
SELECT pg_temp.id(i), pg_temp.id(1 + (i - 1) / 10), 'Label ' || i, 'label ' || i, '#1a7f37', 1, now(), now()
FROM generate_series(1, 1000) AS i;
INSERT INTO tasks (id, title, description, status, priority, owner_id, assignee_id, version, created_at, updated_at,
                   project_id, number, rank, label_ids)
SELECT pg_temp.id(i), 'Mend boat ' || i, 'Look after hull ' || to_hex(i::bigint * 7919),
       (ARRAY['TODO', 'IN_PROGRESS', 'DONE', 'CANCELLED'])[1 + i % 4], 1 + i % 4,
       pg_temp.id(CASE WHEN i % 10 = 1 THEN 1 ELSE 2 + i % 99 END), CASE WHEN i % 100 = 2 THEN pg_temp.id(1) END,
       1, now() - i * interval '1 minute', now() - i * interval '1 minute',
       CASE WHEN i % 2 = 0 THEN pg_temp.id(1 + (i / 2) % 100) END, CASE WHEN i % 2 = 0 THEN i END,
       CASE WHEN i % 2 = 0 THEN 'a' || lpad(to_hex(i), 8, '0') || '1' END,
       CASE WHEN i % 2 = 0 THEN ARRAY[pg_temp.id(1 + ((i / 2) % 100) * 10 + (i / 200) % 10)] ELSE '{}' END
FROM generate_series(1, TASKS) AS i;
INSERT INTO task_texts (task_id, title, description) SELECT id, title, description FROM tasks;
"""


def numbered(number: int) -> UUID:
    """The id of this number."""
    return UUID(f"00000000-0000-4000-8000-{number:012x}")


USER: Final = Actor(numbered(1), Role.USER, None, 1)
_PROJECT: Final = numbered(7)


@dataclass(frozen=True)
class Listing:
    """A list, and its order."""

    wanted: TaskFilter = EVERYTHING
    order: TaskOrder = TaskOrder.CREATED_DESC


LISTS: Final = {
    "of one project": Listing(TaskFilter(project_id=_PROJECT)),
    "of a column in the manual order": Listing(
        TaskFilter(project_id=_PROJECT, status=(TaskStatus.TODO,), is_subtask=False), TaskOrder.RANK
    ),
    "with a label": Listing(TaskFilter(project_id=_PROJECT, label_ids=(numbered(63),))),
    "assigned to me, in 50 projects": Listing(TaskFilter(assignee_id=USER.user_id)),
    "found in a project": Listing(TaskFilter(project_id=_PROJECT, search="boat 4712")),
    "of all 50 projects, and personal": Listing(),
    "of one project, by change": Listing(TaskFilter(project_id=_PROJECT), TaskOrder.UPDATED_DESC),
}


@pytest.fixture(scope="module")
async def database(new_database: Callable[[], str]) -> AsyncIterator[Database]:
    """The large database."""
    database = Database(new_database(), pool_size=1, no_timeouts=True)
    async with driver_connection(database) as connection:
        await connection.execute(_FILL.replace("TASKS", str(TASKS)), timeout=HANG_SECONDS * 10)
        await connection.execute("VACUUM ANALYZE", timeout=HANG_SECONDS)
    yield database
    await database.close()


async def test_pages_of_projects(database: Database, figures: Figures):
    """Milliseconds of this process and of PostgreSQL for each page, as a ratio to a page of personal tasks alone."""
    async with database.reading() as reading:
        [[pid]] = await reading.run(_PID, {})
        personal = Actor(numbered(99), Role.USER, None, 1)  # who is a member of no project
        base = await _cost(reading, pid, personal, Listing())
        figures.note(f"a page of personal tasks of {TASKS:,}: {base * 1e3:.2f} ms of processor time")
        for name, listing in LISTS.items():
            cost = await _cost(reading, pid, USER, listing)
            figures.note(f"a page {name}: {cost * 1e3:.2f} ms, {cost / base:.2f} times that")
            assert cost > 0


async def _cost(reading: ReadConnection, pid: int, actor: Actor, listing: Listing) -> float:
    """Seconds of processor time for one page."""
    paged = task_page(actor, PageRequest(20), listing.wanted, listing.order)
    for _ in range(10):
        await reading.rows(_SHAPE, paged.query.rows, paged.query.values)
    before = time.process_time() + _seconds_of(pid)
    for _ in range(PAGES):
        await reading.rows(_SHAPE, paged.query.rows, paged.query.values)
    return (time.process_time() + _seconds_of(pid) - before) / PAGES


def _seconds_of(pid: int) -> float:
    """The processor time of another process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
