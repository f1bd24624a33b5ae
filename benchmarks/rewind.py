"""Undoes what a workload has changed, and counts the changes."""

from typing import Any, Final

import asyncpg

from benchmarks.dataset import CREATED, DELETABLE, ID, OUR_TASKS, THEIR_TASKS, TITLE, WRITTEN, plain

_LAST: Final = WRITTEN + DELETABLE
_REMOVE: Final = f"DELETE FROM tasks WHERE title LIKE '{CREATED} %'"  # noqa: S608 - constants
_MISSING: Final = f" WHERE i <= $1::int AND NOT EXISTS (SELECT FROM tasks WHERE tasks.id = {ID})"
# Only changed rows are written: an UPDATE of a title also updates our copy for the search.
_RESET_TITLES: Final = f"""
UPDATE tasks SET title = {TITLE} FROM generate_series(1, {WRITTEN}) i WHERE tasks.id = {ID} AND title <> {TITLE}
"""  # noqa: S608
_RESET_COLUMNS: Final = f"""
UPDATE tasks SET status = '{{done}}', assignee_id = NULL FROM generate_series(1, {WRITTEN}) i
WHERE tasks.id = {ID} AND (status <> '{{done}}' OR assignee_id IS NOT NULL)
"""  # noqa: S608


async def rewind_ours(url: str, tasks: int) -> None:
    """Restore the first *tasks* tasks in our tables."""
    restore = OUR_TASKS.format(first=WRITTEN + 1, last=_LAST) + _MISSING
    await _empty_trash(url)  # the trash keeps the ids of deleted tasks
    await _rewind(url, tasks, restore, "DONE", "VACUUM tasks", "VACUUM task_texts")


async def rewind_theirs(url: str, tasks: int) -> None:
    """Restore the first *tasks* tasks in the peers' tables, and remove the events."""
    restore = THEIR_TASKS.format(first=WRITTEN + 1, last=_LAST) + _MISSING
    await _rewind(url, tasks, restore, "done", "TRUNCATE events", "VACUUM tasks")


async def remove_created(url: str) -> None:
    """Remove the created tasks only; all other tasks keep their values, whichever these are."""
    connection = await asyncpg.connect(plain(url))
    try:
        await connection.execute(_REMOVE)
        await connection.execute("VACUUM tasks")
    finally:
        await connection.close()


async def count_tasks(url: str) -> int:
    """The number of tasks."""
    return int(await _value(url, "SELECT count(*) FROM tasks"))


async def last_event(url: str) -> int:
    """The id of the latest event, or 0."""
    return int(await _value(url, "SELECT coalesce(max(id), 0) FROM events"))


async def events_after(url: str, last: int) -> int:
    """The number of events with a greater id."""
    return int(await _value(url, "SELECT count(*) FROM events WHERE id > $1", last))


async def _rewind(url: str, tasks: int, restore: str, done: str, *cleanup: str) -> None:
    # The written tasks have the status DONE and no assignee, so the first move and the first assignment change them.
    connection = await asyncpg.connect(plain(url))
    try:
        await connection.execute(_REMOVE)
        await connection.execute(restore, tasks)
        await connection.execute(_RESET_TITLES)
        await connection.execute(_RESET_COLUMNS.format(done=done))
        for statement in cleanup:
            await connection.execute(statement)
    finally:
        await connection.close()


async def _empty_trash(url: str) -> None:
    connection = await asyncpg.connect(plain(url))
    try:
        await connection.execute("DELETE FROM trash")
        await connection.execute("VACUUM trash")
    finally:
        await connection.close()


async def _value(url: str, statement: str, *values: Any) -> Any:
    connection = await asyncpg.connect(plain(url))
    try:
        return await connection.fetchval(statement, *values)
    finally:
        await connection.close()
