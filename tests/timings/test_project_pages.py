"""Processor time of requests for pages of projects, compared with a page of personal tasks (TASKS=1000000)."""

import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any, Final
from uuid import UUID

import httpx
import pytest

from graphql_api.auth.tokens import AccessTokens
from graphql_api.schema.ids import encode_id
from persistence.database import Database
from persistence.models import UserRow
from tests.support.builders import Builders
from tests.support.figures import Figures
from tests.support.processes import Served
from tests.support.transactions import driver_connection, orm_session
from tests.support.waiting import HANG_SECONDS

TASKS: Final = int(os.environ.get("TASKS", "100000"))
ROUNDS: Final = 40
PAGES: Final = 20
"""Requests for each page in a round."""
TOKENS: Final = AccessTokens({"k": b"k" * 32}, "taskriver", "taskriver-api", timedelta(hours=1))
_QUERY: Final = """
query Tasks($first: Int!, $filter: TaskFilter, $orderBy: TaskOrder! = CREATED_DESC) {
  tasks(first: $first, filter: $filter, orderBy: $orderBy) {
    edges { cursor node {
      id title status priority createdAt updatedAt owner { id username } assignee { id username }
    } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}
"""

# There are 10,000 users. User 1 owns a fifth of the personal tasks, which are a half of all, and is a member of the
# projects 1 to 50 of 100. Each task of a project has one of ten labels of the project; every fiftieth is assigned to
# user 1.
_FILL: Final = """
SET statement_timeout = 0; SET session_replication_role = replica;
CREATE FUNCTION pg_temp.id(n bigint) RETURNS uuid LANGUAGE sql
RETURN ('00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid;
INSERT INTO users (id, username, email, password_hash, role, is_active, access_version, created_at, updated_at)
SELECT pg_temp.id(i), 'user' || i, 'user' || i || '@example.org', '!', 'USER', true, 1, now() - i * interval '1 hour',
       now()
FROM generate_series(1, 10000) AS i;
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
INSERT INTO task_texts (task_id, title, description, project_id) SELECT id, title, description, project_id FROM tasks;
"""


def numbered(number: int) -> UUID:
    """The id of this number."""
    return UUID(f"00000000-0000-4000-8000-{number:012x}")


_PROJECT: Final = {"projectId": encode_id("Project", numbered(7))}
LISTS: Final[dict[str, dict[str, Any]]] = {
    "of one project": {"filter": _PROJECT},
    "of a column in the manual order": {
        "filter": _PROJECT | {"status": ["TODO"], "isSubtask": False},
        "orderBy": "RANK",
    },
    "with a label": {"filter": _PROJECT | {"labelIds": [encode_id("Label", numbered(63))]}},
    "assigned to me, in 50 projects": {"filter": {"assigneeId": encode_id("User", numbered(1))}},
    "found in a project": {"filter": _PROJECT | {"search": "boat 472"}},
    "of all 50 projects, and personal": {},
    "of one project, by change": {"filter": _PROJECT, "orderBy": "UPDATED_DESC"},
}


@dataclass
class Reader:
    """A user who asks the server for a page over HTTP, on one connection."""

    http: httpx.AsyncClient
    token: str
    variables: dict[str, Any]

    async def read(self) -> None:
        """Ask once; the page has tasks."""
        body = {"query": _QUERY, "variables": {"first": 20} | self.variables}
        answer = await self.http.post("/graphql", json=body, headers={"authorization": f"Bearer {self.token}"})
        assert b'"edges":[{' in answer.content, answer.text


@dataclass
class Measured:
    """A server in a separate process, and the database whose connections it uses."""

    served: Served
    database: Database

    async def seconds(self) -> float:
        """The processor time of the server and of its connections to the database."""
        async with driver_connection(self.database) as connection:
            found = await connection.fetch(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        return sum(_seconds_of(pid) for pid in (self.served.process.pid, *(pid for [pid] in found)))


@pytest.fixture(scope="module")
async def database_url(new_database: Callable[[], str]) -> str:
    """The large database."""
    url = new_database()
    database = Database(url, pool_size=1, no_timeouts=True)
    async with driver_connection(database) as connection:
        await connection.execute(_FILL.replace("TASKS", str(TASKS)), timeout=HANG_SECONDS * 10)
        await connection.execute("VACUUM ANALYZE", timeout=HANG_SECONDS)
    await database.close()
    return url


@pytest.fixture
async def measured(database_url: str, new_redis: Callable[[], str], tmp_path: Path) -> AsyncIterator[Measured]:
    """The server, with one connection to the database for all requests."""
    settings = {"DATABASE_POOL_SIZE": 2, "SECRET_KEYS": "k:" + "k" * 32, "BCRYPT_ROUNDS": 4, "CLEANUP_SCHEDULE": "off"}
    database = Database(database_url, pool_size=1)
    served = Served(folder=tmp_path, DATABASE_URL=database_url, REDIS_URL=new_redis(), **settings)
    try:
        yield Measured(await served.ready(), database)
    finally:
        served.clean_up()
        await database.close()


async def test_pages_of_projects(measured: Measured, figures: Figures):
    """Milliseconds of the server and of PostgreSQL for each page, as a ratio to a page of personal tasks alone.

    The pages take turns, so that a slow moment of the machine hits all of them. The medians of the rounds are compared.
    """
    async with httpx.AsyncClient(base_url=measured.served.url, timeout=HANG_SECONDS) as http:
        [alone, member] = [Reader(http, await _token(measured, numbered(user)), {}) for user in (99, 1)]
        readers = [alone, *(replace(member, variables=variables) for variables in LISTS.values())]
        costs = [[await _cost(measured, reader) for reader in readers] for _ in range(ROUNDS + 1)][1:]
    base, *others = [median(cost) for cost in zip(*costs, strict=True)]
    figures.note(f"a page of personal tasks of {TASKS:,}: {base * 1e3:.2f} ms of processor time")
    for name, cost in zip(LISTS, others, strict=True):
        figures.note(f"a page {name}: {cost * 1e3:.2f} ms, {cost / base:.2f} times that")
        assert cost > 0


async def _token(measured: Measured, user_id: UUID) -> str:
    """An access token of a new session of a user."""
    async with orm_session(measured.database) as orm:
        user = await orm.get_one(UserRow, user_id)
    session = await Builders(measured.database).a_session(user)
    return TOKENS.issue(user_id, session.id, datetime.now(UTC)).token


async def _cost(measured: Measured, reader: Reader) -> float:
    """Seconds of processor time for one request."""
    before = await measured.seconds()
    for _ in range(PAGES):
        await reader.read()
    return (await measured.seconds() - before) / PAGES


def _seconds_of(pid: int) -> float:
    """The processor time of all threads of another process."""
    return sum(int(path.read_text().split()[0]) for path in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9
