"""Processor time of requests for pages of projects, compared with a page of personal tasks (TASKS=1000000)."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import orjson
import pytest

from graphql_api.schema.ids import encode_id
from persistence.database import Database
from persistence.models import UserRow
from tests.support.api import Api
from tests.support.api_server import an_api
from tests.support.figures import Figures
from tests.support.transactions import driver_connection, orm_session
from tests.support.waiting import HANG_SECONDS

TASKS: Final = int(os.environ.get("TASKS", "100000"))
PAGES: Final = 300
_TICKS: Final = os.sysconf("SC_CLK_TCK")
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
class Request:
    """A request that is sent to the application itself, without a client and a network."""

    token: str
    variables: dict[str, Any]
    answers: list[bytes] = field(default_factory=list)
    _is_read: bool = False

    def send_to(self, api: Api) -> Awaitable[None]:
        """Send it, also repeatedly."""
        self._is_read = False
        headers = [(b"host", b"testserver"), (b"content-type", b"application/json")]
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/graphql",
            "raw_path": b"/graphql",
            "root_path": "",
            "query_string": b"",
            "scheme": "http",
            "http_version": "1.1",
            "server": ("testserver", 80),
            "client": ("127.0.0.1", 1),
            "headers": [*headers, (b"authorization", b"Bearer " + self.token.encode())],
        }
        return api.server.asgi()(scope, self._receive, self._send)

    async def _receive(self) -> MutableMapping[str, Any]:
        if self._is_read:
            await asyncio.Event().wait()  # the client stays connected
        self._is_read = True
        body = orjson.dumps({"query": _QUERY, "variables": {"first": 20} | self.variables})
        return {"type": "http.request", "body": body, "more_body": False}

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.body":
            self.answers.append(message["body"])


@pytest.fixture(scope="module")
async def api(new_database: Callable[[], str], new_redis: Callable[[], str]) -> AsyncIterator[Api]:
    """A server with the large database."""
    url = new_database()
    database = Database(url, pool_size=1, no_timeouts=True)
    async with driver_connection(database) as connection:
        await connection.execute(_FILL.replace("TASKS", str(TASKS)), timeout=HANG_SECONDS * 10)
        await connection.execute("VACUUM ANALYZE", timeout=HANG_SECONDS)
    await database.close()
    async with an_api(url, new_redis()) as api:
        yield api


async def test_pages_of_projects(api: Api, figures: Figures):
    """Milliseconds of this process and of PostgreSQL for each page, as a ratio to a page of personal tasks alone."""
    base = await _cost(api, numbered(99), {})  # who is a member of no project
    figures.note(f"a page of personal tasks of {TASKS:,}: {base * 1e3:.2f} ms of processor time")
    for name, variables in LISTS.items():
        cost = await _cost(api, numbered(1), variables)
        figures.note(f"a page {name}: {cost * 1e3:.2f} ms, {cost / base:.2f} times that")
        assert cost > 0


async def _cost(api: Api, user_id: UUID, variables: dict[str, Any]) -> float:
    """Seconds of processor time for one request."""
    async with orm_session(api.server.database) as session:
        user = await session.get_one(UserRow, user_id)
    request = Request(await api.token(user), variables)
    for _ in range(20):
        await request.send_to(api)
    assert b'"edges":[{' in request.answers[-1], request.answers[-1]
    before = await _seconds(api)
    for _ in range(PAGES):
        await request.send_to(api)
    return (await _seconds(api) - before) / PAGES


async def _seconds(api: Api) -> float:
    """The processor time of this process and of the connections to the database."""
    async with driver_connection(api.server.database) as connection:
        pids = await connection.fetch("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
    return time.process_time() + sum(_seconds_of(pid) for [pid] in pids)


def _seconds_of(pid: int) -> float:
    """The processor time of another process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
