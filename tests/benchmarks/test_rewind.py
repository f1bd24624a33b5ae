"""The rows that a workload changes are restored before the next measurement."""

from collections.abc import Callable
from typing import Any

import asyncpg
import pytest

from benchmarks.dataset import CREATED, WRITTEN, fill_ours, fill_theirs, plain, row_id
from benchmarks.rewind import count_tasks, events_after, last_event, remove_created, rewind_ours, rewind_theirs

TASKS = WRITTEN + 100
DELETED = [row_id(f"t{number}") for number in range(WRITTEN + 1, WRITTEN + 11)]
ROWS = "SELECT id, title, description, status, priority, owner_id, assignee_id, created_at FROM tasks ORDER BY id"
FORMS = [(fill_ours, rewind_ours), (fill_theirs, rewind_theirs)]


@pytest.mark.parametrize(("fill", "rewind"), FORMS, ids=["ours", "theirs"])
async def test_changed_rows_are_restored(empty_database: Callable[[], str], fill: Any, rewind: Any):
    """Moved, edited, assigned, deleted and created tasks; the first move and the first assignment are changes."""
    url = empty_database()
    await fill(url, TASKS)
    await rewind(url, TASKS)
    connection = await asyncpg.connect(plain(url))
    try:
        before = await connection.fetch(ROWS)
        written = {row_id(f"t{number}") for number in range(1, WRITTEN + 1)}
        assert {(row["status"].upper(), row["assignee_id"]) for row in before if row["id"] in written} == {
            ("DONE", None)
        }
        await _change(connection)
        assert await connection.fetch(ROWS) != before
        await rewind(url, TASKS)
        assert await connection.fetch(ROWS) == before
        assert await count_tasks(url) == TASKS
        if rewind is rewind_ours:
            assert await connection.fetchval(
                "SELECT count(*) FROM tasks JOIN task_texts ON task_id = id AND task_texts.title = tasks.title"
            ) == len(before)
    finally:
        await connection.close()


@pytest.mark.parametrize("fill", [fill_ours, fill_theirs], ids=["ours", "theirs"])
async def test_created_tasks_are_removed_from_small_tables(empty_database: Callable[[], str], fill: Any):
    """All other tasks stay as they are: the curves read them."""
    url = empty_database()
    await fill(url, 10)
    connection = await asyncpg.connect(plain(url))
    try:
        before = await connection.fetch(ROWS)
        await _create(connection)
        await remove_created(url)
        assert await connection.fetch(ROWS) == before
    finally:
        await connection.close()


async def test_events_are_counted_after_a_mark(empty_database: Callable[[], str]):
    """The peers' events are removed with the changes."""
    url = empty_database()
    await fill_theirs(url, 10)
    insert = "INSERT INTO events (kind, task_id, user_id, payload) SELECT 'move', id, owner_id, '{}' FROM tasks LIMIT 3"
    connection = await asyncpg.connect(plain(url))
    try:
        assert await last_event(url) == 0
        await connection.execute(insert)
        mark = await last_event(url)
        await connection.execute(insert)
        assert await events_after(url, mark) == 3
    finally:
        await connection.close()
    await rewind_theirs(url, 10)
    assert await events_after(url, 0) == 0


async def _change(connection: Any) -> None:
    await connection.execute("UPDATE tasks SET title = 'edited' WHERE id = $1", row_id("t1"))
    await connection.execute("UPDATE tasks SET assignee_id = owner_id WHERE id = $1", row_id("t2"))
    status = await connection.fetchval("SELECT status::text FROM tasks WHERE id = $1", row_id("t4"))
    await connection.execute(
        f"UPDATE tasks SET status = '{'todo' if status.islower() else 'TODO'}' WHERE id = $1",  # noqa: S608
        row_id("t3"),
    )
    await connection.execute("DELETE FROM tasks WHERE id = ANY($1)", DELETED)
    await _create(connection)


async def _create(connection: Any) -> None:
    copied = await connection.fetchrow("SELECT * FROM tasks WHERE id = $1", row_id("t4"))
    values = dict(copied) | {"id": row_id("new"), "title": f"{CREATED} 1"}
    columns = ", ".join(values)
    places = ", ".join(f"${number}" for number in range(1, len(values) + 1))
    await connection.execute(f"INSERT INTO tasks ({columns}) VALUES ({places})", *values.values())  # noqa: S608
