"""Lists of a user, a project or a task that has many rows, while most others have two."""

from collections.abc import AsyncIterator, Callable
from typing import Final

import pytest

from domain.actor import Actor
from domain.task import TaskStatus
from domain.user import Role
from persistence.database import Database
from persistence.models import CommentRow, VisibleTrashRow
from persistence.pagination import PageRequest
from persistence.queries.comment import COMMENTS
from persistence.queries.task_list import TaskFilter, TaskOrder
from persistence.queries.trash import trash_page
from tests.persistence.large_dataset import Ask, LargeDataset, numbered
from tests.support.reads import task_history, task_page
from tests.support.transactions import driver_connection
from tests.support.waiting import HANG_SECONDS

BUSY: Final = Actor(numbered(1), Role.USER, None, 1)

# User 1, project 1 and task 1 have 2,500 tasks, events and comments of 20,000; the others have two each.
_FILL: Final = """
SET session_replication_role = replica;
CREATE FUNCTION pg_temp.id(number bigint) RETURNS uuid LANGUAGE sql
RETURN ('00000000-0000-4000-8000-' || lpad(to_hex(number), 12, '0'))::uuid;
CREATE FUNCTION pg_temp.one(number bigint) RETURNS uuid LANGUAGE sql
RETURN pg_temp.id(CASE WHEN number % 8 = 0 THEN 1 ELSE 2 + number * 7919 % 8750 END);
CREATE FUNCTION pg_temp.later(minutes bigint) RETURNS timestamptz LANGUAGE sql
RETURN '2026-01-01 00:00Z'::timestamptz + minutes * interval '1 minute';

INSERT INTO users (id, username, email, password_hash, role, is_active, access_version, created_at, updated_at)
SELECT pg_temp.id(i), 'user' || i, 'user' || i || '@example.org', '!', 'USER', true, 1, now(), now()
FROM generate_series(1, 9000) AS i;
INSERT INTO projects (id, key, name, description, is_archived, version, created_at, updated_at)
SELECT pg_temp.id(i), 'P' || i, 'Project ' || i, '', false, 1, pg_temp.later(i), pg_temp.later(i)
FROM generate_series(1, 9000) AS i;
INSERT INTO memberships (id, project_id, user_id, role, created_at)
SELECT gen_random_uuid(), pg_temp.id(i), pg_temp.id(j), 'MANAGER', now()
FROM generate_series(1, 9000) AS i, unnest(ARRAY[1 + i % 9000, CASE WHEN i <= 50 THEN 1 END]) AS j WHERE j > 0;
INSERT INTO tasks
    (id, title, description, status, priority, owner_id, assignee_id, version, created_at, updated_at, project_id,
     number, rank, label_ids)
SELECT pg_temp.id(i), 'Mend boat ' || i, repeat('hull ', 40), 'TODO', 2, pg_temp.one(i), pg_temp.one(i), 1,
       pg_temp.later(i), pg_temp.later(i), CASE WHEN i % 16 >= 8 THEN pg_temp.one(i) END,
       CASE WHEN i % 16 >= 8 THEN i END,
       CASE WHEN i % 16 >= 8 THEN 'V' || lpad((i * 7919 % 100003)::text, 7, '0') END, '{}'
FROM generate_series(1, 20000) AS i;
INSERT INTO trash
    (id, title, description, status, priority, owner_id, version, created_at, updated_at, project_id, number,
     comment_count, label_ids, rank, subtask_count, done_subtask_count, root_id, deleted_at, deleted_by)
SELECT pg_temp.id(90000 + i), 'Old boat ' || i, repeat('hull ', 40), 'TODO', 2, pg_temp.one(i), 2, pg_temp.later(i),
       pg_temp.later(i), CASE WHEN i % 16 >= 8 THEN pg_temp.one(i) END, CASE WHEN i % 16 >= 8 THEN 90000 + i END, 0,
       '{}', CASE WHEN i % 16 >= 8 THEN 'W' || lpad(i::text, 7, '0') END, 0, 0, pg_temp.id(90000 + i), pg_temp.later(i),
       pg_temp.one(i)
FROM generate_series(1, 20000) AS i;
INSERT INTO comments (id, task_id, author_id, text, version, created_at, updated_at)
SELECT pg_temp.id(i), pg_temp.one(i), pg_temp.id(1), repeat('hull ', 40), 1, pg_temp.later(i), pg_temp.later(i)
FROM generate_series(1, 20000) AS i;
INSERT INTO events (position, kind, task_id, payload, recorded_at)
SELECT i, 'TASK', pg_temp.one(i), event, pg_temp.later(i) FROM generate_series(1, 20000) AS i,
     (SELECT jsonb_build_object('task', pg_temp.id(1), 'version', 1, 'changes', '[]'::jsonb, 'from', NULL, 'to', 'TODO',
          'title', repeat('hull ', 20), 'before', NULL, 'after', NULL, 'by', pg_temp.id(1),
          'at', '2026-01-01T00:00:00+00:00', 'request', NULL) AS event) AS one;
"""


def _tasks(wanted: TaskFilter, order: TaskOrder = TaskOrder.CREATED_DESC) -> Ask:
    return lambda uow: task_page(uow, PageRequest(20), wanted=wanted, order=order)


LISTS: Final[dict[str, Ask]] = {
    "assigned": _tasks(TaskFilter(assignee_id=numbered(1))),
    "own": _tasks(TaskFilter(owner_id=numbered(1))),
    "all": _tasks(TaskFilter()),
    "of a project": _tasks(TaskFilter(project_id=numbered(1))),
    "of a project, in the manual order": _tasks(TaskFilter(project_id=numbered(1)), TaskOrder.RANK),
    "assigned, with a status": _tasks(TaskFilter(assignee_id=numbered(1), status=(TaskStatus.TODO,))),
    "comments": lambda uow: uow.page(CommentRow, COMMENTS.page([numbered(1)], PageRequest(20))),
    "history": lambda uow: task_history(uow, numbered(1), PageRequest(20)),
    "own trash": lambda uow: uow.page(VisibleTrashRow, trash_page(uow.actor, PageRequest(20), None)),
    "trash of a project": lambda uow: uow.page(VisibleTrashRow, trash_page(uow.actor, PageRequest(20), numbered(1))),
}


@pytest.fixture(scope="module")
async def skewed(new_database: Callable[[], str]) -> AsyncIterator[LargeDataset]:
    """The database."""
    database = Database(new_database(), pool_size=2)
    async with driver_connection(database) as connection:
        await connection.execute(_FILL, timeout=HANG_SECONDS)
        await connection.execute("VACUUM ANALYZE", timeout=HANG_SECONDS)
    yield LargeDataset(database)
    await database.close()


@pytest.mark.parametrize("name", LISTS)
async def test_a_page_reads_its_rows_only(skewed: LargeDataset, name: str):
    """The plan for all values follows the index of the list: it does not read and sort all rows of the busy one."""
    ask = LISTS[name]

    pages = await skewed.buffers_after(BUSY, ask, ask)

    assert pages < 400  # about 1,000 are used if all rows are read
