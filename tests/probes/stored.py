"""The rows in the database: whether a request has changed any, and the removal of those that a probe added."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from persistence.database import Database
from tests.support.transactions import driver_connection

_TABLES: Final = (
    "tasks",
    "trash",
    "task_keys",
    "comments",
    "projects",
    "labels",
    "project_keys",
    "memberships",
    "task_counters",
    "users",
    "sessions",
    "sign_in_codes",
    "access_tokens",
    "invitations",
    "identities",
    "trusted_documents",
)
_DIGESTS: Final = ", ".join(
    f"(SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {table} AS t)"  # noqa: S608 - of the names above
    for table in _TABLES
)
_STATE: Final = f"SELECT {_DIGESTS}, (SELECT max(id) FROM events), (SELECT count(*) FROM idempotency_keys)"  # noqa: S608
_TASKS: Final = "SELECT t::text FROM tasks AS t WHERE id = ANY($1) ORDER BY id"
_KEEP: Final = (
    "WITH a AS (DELETE FROM tasks WHERE id <> ALL($1)), b AS (DELETE FROM projects WHERE id <> ALL($2)),"
    " c AS (DELETE FROM sessions WHERE id <> ALL($4)), d AS (DELETE FROM memberships WHERE user_id <> ALL($3)),"
    " e AS (DELETE FROM comments WHERE task_id <> ALL($1::uuid[] || $5::uuid[])),"
    " h AS (DELETE FROM access_tokens WHERE id <> ALL($4)), i AS (DELETE FROM identities WHERE id <> ALL($4)),"
    " f AS (DELETE FROM trash WHERE id <> ALL($5)), g AS (DELETE FROM task_keys WHERE task_id <> ALL($1))"
    " DELETE FROM users WHERE id <> ALL($3)"
)


@dataclass(frozen=True)
class Kept:
    """The ids of the rows that stay."""

    tasks: Collection[UUID]
    projects: Collection[UUID]
    users: Collection[UUID]
    sessions: Collection[UUID]
    deleted: Collection[UUID]
    """Deleted tasks in the trash."""


async def state(database: Database) -> tuple[Any, ...]:
    """A digest of each table, and the last event."""
    async with driver_connection(database) as connection:
        return tuple(await connection.fetchrow(_STATE))


async def tasks(database: Database, ids: Collection[UUID]) -> list[str]:
    """The rows of these tasks."""
    async with driver_connection(database) as connection:
        return [row for (row,) in await connection.fetch(_TASKS, list(ids))]


async def remove_others(database: Database, kept: Kept) -> None:
    """Delete all tasks, deleted tasks, projects, users and sessions but these."""
    ids = [list(each) for each in (kept.tasks, kept.projects, kept.users, kept.sessions, kept.deleted)]
    async with driver_connection(database) as connection:
        await connection.execute(_KEEP, *ids)
