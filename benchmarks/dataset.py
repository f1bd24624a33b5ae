"""The same rows for all peers: a thousand users and their tasks, in Taskriver's tables and in plain ones.

Every value is computed from the number of its row, so two databases have the same rows without a copy.
"""

from hashlib import md5, sha256
from pathlib import Path
from typing import Final
from uuid import UUID

import asyncpg

from graphql_api.auth.passwords import Passwords
from persistence import migrations
from persistence.database import Database

PEOPLE: Final = 1_000
MODERATORS: Final = 50
PASSWORD: Final = "Taskriver-1"  # noqa: S105 - of generated users
TASKS: Final = 100_000
WRITTEN: Final = 3_000
"""The oldest tasks are moved, edited and assigned. Their owner sends the requests, and may change own tasks only."""
DELETABLE: Final = 57_000
"""The next tasks are deleted. W1 reads none of them."""
CREATED: Final = "Created task"
"""Titles of created tasks start with this."""

_BCRYPT_ROUNDS: Final = 12
_USER_ID: Final = "md5('u' || {})::uuid"
_OWNER: Final = f"CASE WHEN i <= {WRITTEN} THEN 1 ELSE 1 + (i * 7) % {PEOPLE} END"
_ASSIGNEE: Final = f"CASE WHEN i % 5 = 0 THEN NULL ELSE {_USER_ID.format(f'(1 + (i * 13) % {PEOPLE})')} END"
ID: Final = "md5('t' || i)::uuid"
TITLE: Final = "'Task ' || i || ' - prepare the quarterly report'"
_TASK: Final = f"""
    {ID}, {TITLE},
    'Description of task ' || i || ': ' || repeat('lorem ipsum dolor sit amet ', 4),
    {{status}}, 1 + i % 4, {_USER_ID.format(f"({_OWNER})")}, {_ASSIGNEE},
    timestamptz '2026-01-01 00:00:00.123Z' + i * interval '61 seconds',
    timestamptz '2026-01-01 00:00:00.456Z' + i * interval '61 seconds'"""
_STATUS: Final = "(ARRAY['TODO', 'IN_PROGRESS', 'DONE'])[1 + i % 3]"

# The statements contain constants of this file and numbers only.
OUR_TASKS: Final = f"""
INSERT INTO tasks (id, title, description, status, priority, owner_id, assignee_id, created_at, updated_at,
        completed_at, version)
    SELECT {_TASK.format(status=_STATUS)},
        CASE WHEN 1 + i % 3 = 3 THEN timestamptz '2026-01-01 00:00:00.456Z' + i * interval '61 seconds' END, 1
    FROM generate_series({{first}}, {{last}}) i
"""  # noqa: S608
THEIR_TASKS: Final = f"""
INSERT INTO tasks
    SELECT {_TASK.format(status=f"lower({_STATUS})::task_status")} FROM generate_series({{first}}, {{last}}) i
"""  # noqa: S608
_OUR_ROWS: Final = f"""
INSERT INTO users (id, username, email, password_hash, role, is_active, access_version, created_at, updated_at)
    SELECT {_USER_ID.format("i")}, 'user' || i, 'user' || i || '@example.org', '{{password}}',
        CASE WHEN i <= {MODERATORS} THEN 'MODERATOR' ELSE 'USER' END, true, 1, now(), now()
    FROM generate_series(1, {PEOPLE}) i;
INSERT INTO sessions (id, user_id, token_hash, key_id, ip_address, created_at, expires_at)
    SELECT md5('s' || i)::uuid, {_USER_ID.format("i")}, decode(md5('s' || i) || md5('h' || i), 'hex'), 'dev',
        '127.0.0.1', now(), now() + interval '10 years'
    FROM generate_series(1, {PEOPLE}) i;
"""  # noqa: S608
_THEIR_ROWS: Final = f"""
CREATE TYPE task_status AS ENUM ('todo', 'in_progress', 'done', 'cancelled');
CREATE TABLE users (id uuid PRIMARY KEY, username text NOT NULL UNIQUE, role text NOT NULL);
CREATE TABLE tasks (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), title text NOT NULL, description text NOT NULL,
    status task_status NOT NULL DEFAULT 'todo', priority int NOT NULL,
    owner_id uuid NOT NULL REFERENCES users (id), assignee_id uuid REFERENCES users (id),
    created_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', now()),
    updated_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', now())
);
CREATE TABLE events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, kind text NOT NULL,
    task_id uuid NOT NULL, user_id uuid NOT NULL,
    payload jsonb NOT NULL, recorded_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO users
    SELECT {_USER_ID.format("i")}, 'user' || i, CASE WHEN i <= {MODERATORS} THEN 'moderator' ELSE 'user' END
    FROM generate_series(1, {PEOPLE}) i;
"""  # noqa: S608
_THEIR_INDEXES: Final = """
CREATE INDEX ON events (task_id, id);
CREATE INDEX ON tasks (status, created_at DESC, id DESC);
CREATE INDEX ON tasks (created_at DESC, id DESC);
CREATE INDEX ON tasks (owner_id);
CREATE INDEX ON tasks (assignee_id);
"""
_MIGRATIONS: Final = Path(__file__).parents[1] / "migrations/versions"


def fingerprint() -> str:
    """A digest of the rows and of our tables. Stored rows with another digest are created again."""
    migrated = sorted(file.read_text() for file in _MIGRATIONS.glob("*.py"))
    rows = (_OUR_ROWS, OUR_TASKS, _THEIR_ROWS, THEIR_TASKS, _THEIR_INDEXES, PASSWORD)
    return sha256("".join((*rows, *migrated)).encode()).hexdigest()


async def fill_ours(url: str, tasks: int = TASKS) -> None:
    """Create our tables with our migrations, and the rows."""
    database = Database(url)
    try:
        await migrations.upgrade(database.engine)
    finally:
        await database.close()
    passwords = Passwords(_BCRYPT_ROUNDS)
    try:
        password = await passwords.hash(PASSWORD)
    finally:
        passwords.close()
    await _fill(url, _OUR_ROWS.format(password=password), OUR_TASKS.format(first=1, last=tasks))


async def fill_theirs(url: str, tasks: int = TASKS) -> None:
    """Create the peers' tables, with an index for every list that the workloads read, and the same rows."""
    await _fill(url, _THEIR_ROWS, THEIR_TASKS.format(first=1, last=tasks), _THEIR_INDEXES)


async def _fill(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(plain(url))
    try:
        for statement in statements:
            await connection.execute(statement)
        for table in ("users", "tasks"):
            await connection.execute(f"VACUUM ANALYZE {table}")
    finally:
        await connection.close()


async def task_ids(url: str) -> list[UUID]:
    """All tasks, the oldest first."""
    connection = await asyncpg.connect(plain(url))
    try:
        return [row["id"] for row in await connection.fetch("SELECT id FROM tasks ORDER BY created_at")]
    finally:
        await connection.close()


def row_id(seed: str) -> UUID:
    """The id of a row: `u7` is the seventh user, `s7` their session, `t7` the seventh task."""
    return UUID(bytes=md5(seed.encode(), usedforsecurity=False).digest())


def plain(url: str) -> str:
    """The URL without the name of a driver."""
    return url.replace("postgresql+asyncpg:", "postgresql:")
