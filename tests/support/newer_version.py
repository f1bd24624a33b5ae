"""A database to which a newer version writes, too: it holds kinds of events that this version does not know."""

import json
from typing import Any
from uuid import UUID

from sqlalchemy import text

from persistence.database import Database

_TAKE_ANY_KIND = "ALTER TABLE events DROP CONSTRAINT ck_events_kind"
_TAKE_KNOWN_KINDS = "ALTER TABLE events ADD CONSTRAINT ck_events_kind CHECK (kind IN ('TASK', 'ACCESS')) NOT VALID"
_RECORD = (
    "INSERT INTO events (kind, task_id, payload, recorded_at) VALUES (:kind, :task, CAST(:payload AS jsonb), now())"
)


async def take_any_kind(database: Database) -> None:
    """Let the table of events take any kind, as after the migration of a newer version."""
    async with database.engine.begin() as connection:
        await connection.execute(text(_TAKE_ANY_KIND))


async def take_known_kinds(database: Database) -> None:
    """Remove events of other kinds, and let the table take no more of them."""
    async with database.engine.begin() as connection:
        await connection.execute(text("DELETE FROM events WHERE kind NOT IN ('TASK', 'ACCESS')"))
        await connection.execute(text(_TAKE_KNOWN_KINDS))


async def record(database: Database, task_id: UUID, *events: tuple[str, Any]) -> None:
    """Commit events, each a kind and a payload, as a newer version writes them."""
    async with database.engine.begin() as connection:
        for kind, payload in events:
            values = {"kind": kind, "task": task_id, "payload": json.dumps(payload)}
            await connection.execute(text(_RECORD), values)
