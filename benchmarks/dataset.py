"""The same rows for all peers: a thousand users and their tasks, in Taskriver's tables and in plain ones.

Everything is made from a row's number, so two databases are alike without having been copied.
"""

from hashlib import sha256
from pathlib import Path
from typing import Final
from uuid import UUID

import asyncpg

from graphql_api.auth.passwords import Passwords
from persistence import migrations
from persistence.database import Database

PEOPLE: Final = 1_000
MODERATORS: Final = 50
PASSWORD: Final = "Taskriver-1"  # noqa: S105 - of people who are made for this
TASKS: Final = 100_000
WRITTEN: Final = 3_000
"""The oldest tasks are those that W3 moves. Their owner is our actor, who may move own tasks only."""

_BCRYPT_ROUNDS: Final = 12
_USER_ID: Final = "md5('u' || {})::uuid"
_OWNER: Final = f"CASE WHEN i <= {WRITTEN} THEN 1 ELSE 1 + (i * 7) % {PEOPLE} END"
_ASSIGNEE: Final = f"CASE WHEN i % 5 = 0 THEN NULL ELSE {_USER_ID.format(f'(1 + (i * 13) % {PEOPLE})')} END"
_TASK: Final = f"""
    md5('t' || i)::uuid, 'Task ' || i || ' - prepare the quarterly report',
    'Description of task ' || i || ': ' || repeat('lorem ipsum dolor sit amet ', 4),
    {{status}}, 1 + i % 4, {_USER_ID.format(f"({_OWNER})")}, {_ASSIGNEE},
    timestamptz '2026-01-01 00:00:00.123Z' + i * interval '61 seconds',
    timestamptz '2026-01-01 00:00:00.456Z' + i * interval '61 seconds'"""
_STATUS: Final = "(ARRAY['TODO', 'IN_PROGRESS', 'DONE'])[1 + i % 3]"

# Of constants of this file, and of numbers.
_OUR_ROWS: Final = f"""
INSERT INTO users (id, username, email, password_hash, role, is_active, access_version, created_at, updated_at)
    SELECT {_USER_ID.format("i")}, 'user' || i, 'user' || i || '@example.org', '{{password}}',
        CASE WHEN i <= {MODERATORS} THEN 'MODERATOR' ELSE 'USER' END, true, 1, now(), now()
    FROM generate_series(1, {PEOPLE}) i;
INSERT INTO sessions (id, user_id, token_hash, key_id, ip_address, created_at, expires_at)
    SELECT md5('s' || i)::uuid, {_USER_ID.format("i")}, decode(md5('s' || i) || md5('h' || i), 'hex'), 'dev',
        '127.0.0.1', now(), now() + interval '10 years'
    FROM generate_series(1, {PEOPLE}) i;
INSERT INTO tasks (id, title, description, status, priority, owner_id, assignee_id, created_at, updated_at,
        completed_at, version)
    SELECT {_TASK.format(status=_STATUS)},
        CASE WHEN 1 + i % 3 = 3 THEN timestamptz '2026-01-01 00:00:00.456Z' + i * interval '61 seconds' END, 1
    FROM generate_series(1, {{tasks}}) i;
"""  # noqa: S608
_THEIR_ROWS: Final = f"""
CREATE TYPE task_status AS ENUM ('todo', 'in_progress', 'done', 'cancelled');
CREATE TABLE users (id uuid PRIMARY KEY, username text NOT NULL UNIQUE, role text NOT NULL);
CREATE TABLE tasks (
    id uuid PRIMARY KEY, title text NOT NULL, description text NOT NULL, status task_status NOT NULL,
    priority int NOT NULL, owner_id uuid NOT NULL REFERENCES users (id), assignee_id uuid REFERENCES users (id),
    created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL
);
INSERT INTO users
    SELECT {_USER_ID.format("i")}, 'user' || i, CASE WHEN i <= {MODERATORS} THEN 'moderator' ELSE 'user' END
    FROM generate_series(1, {PEOPLE}) i;
INSERT INTO tasks
    SELECT {_TASK.format(status=f"lower({_STATUS})::task_status")} FROM generate_series(1, {{tasks}}) i;
CREATE INDEX ON tasks (status, created_at DESC, id DESC);
CREATE INDEX ON tasks (created_at DESC, id DESC);
CREATE INDEX ON tasks (owner_id);
CREATE INDEX ON tasks (assignee_id);
"""  # noqa: S608
_MIGRATIONS: Final = Path(__file__).parents[1] / "migrations/versions"
_IDS: Final = "SELECT id FROM tasks ORDER BY created_at"


def fingerprint() -> str:
    """What the rows and our tables depend on: kept rows are made anew when it changes."""
    migrated = sorted(file.read_text() for file in _MIGRATIONS.glob("*.py"))
    return sha256("".join((_OUR_ROWS, _THEIR_ROWS, PASSWORD, *migrated)).encode()).hexdigest()


async def fill_ours(url: str, tasks: int = TASKS) -> None:
    """Our tables, by our migrations, and the rows."""
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
    await _fill(url, _OUR_ROWS.format(tasks=tasks, password=password))


async def fill_theirs(url: str, tasks: int = TASKS) -> None:
    """The peers' tables, with the indexes that these workloads want, and the same rows."""
    await _fill(url, _THEIR_ROWS.format(tasks=tasks))


async def _fill(url: str, statements: str) -> None:
    connection = await asyncpg.connect(plain(url))
    try:
        await connection.execute(statements)
        for table in ("users", "tasks"):
            await connection.execute(f"VACUUM ANALYZE {table}")
    finally:
        await connection.close()


async def task_ids(url: str) -> list[UUID]:
    """All tasks, the oldest first."""
    connection = await asyncpg.connect(plain(url))
    try:
        return [row["id"] for row in await connection.fetch(_IDS)]
    finally:
        await connection.close()


async def changes(ours: str) -> int:
    """How often the tasks that are written have been changed, in our tables."""
    connection = await asyncpg.connect(plain(ours))
    try:
        written = f"SELECT version FROM tasks ORDER BY created_at LIMIT {WRITTEN}"  # noqa: S608
        return int(await connection.fetchval(f"SELECT sum(version) FROM ({written}) AS t"))  # noqa: S608
    finally:
        await connection.close()


async def rewind(ours: str, theirs: str) -> None:
    """Have every task that is written wait in the same column again, and nothing left to be tidied up."""
    for url, status in ((ours, "DONE"), (theirs, "done")):
        connection = await asyncpg.connect(plain(url))
        try:
            await connection.execute(
                f"UPDATE tasks SET status = $1 WHERE id IN ({_IDS} LIMIT {WRITTEN})",  # noqa: S608
                status,
            )
            await connection.execute("VACUUM tasks")
        finally:
            await connection.close()


def plain(url: str) -> str:
    """The URL without the name of a driver."""
    return url.replace("postgresql+asyncpg:", "postgresql:")
