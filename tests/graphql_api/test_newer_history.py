"""A task's history beside events of a newer version."""

from typing import Any

import pytest

from persistence.models import TaskRow
from tests.domain.test_event_parsing import task_payload
from tests.graphql_api.test_tasks import task_id
from tests.support import newer_version
from tests.support.api import Api

HISTORY = """query ($id: ID!, $first: Int) { task(id: $id) {
  history(first: $first) { nodes { version changes from to } pageInfo { hasNextPage } } } }"""
FUTURE: list[tuple[str, Any]] = [
    ("TASK", {"version": 2, "changes": ["STATUS"]}),
    ("COMMENT", {"version": 3, "changes": ["DELETED"]}),
    ("TASK", {"version": 4, "changes": ["COLOR", "TITLE"]}),
    ("TASK", {"version": 5, "changes": ["STATUS", "TITLE"], "from": "BLOCKED"}),
    ("TASK", {"version": 6, "changes": ["STATUS"], "to": "BLOCKED"}),
    ("TASK", {"version": 7, "changes": "TITLE"}),
    ("TASK", {"version": "8"}),
    ("TASK", {"version": 9, "at": "2026-13-45"}),
    ("TASK", {"version": 10, "changes": []}),
]
SHOWN = [
    {"version": 10, "changes": [], "from": "TODO", "to": "IN_PROGRESS"},
    {"version": 5, "changes": ["TITLE"], "from": None, "to": "IN_PROGRESS"},
    {"version": 4, "changes": ["TITLE"], "from": "TODO", "to": "IN_PROGRESS"},
    {"version": 2, "changes": ["STATUS"], "from": "TODO", "to": "IN_PROGRESS"},
]


@pytest.fixture(scope="module", autouse=True)
async def any_kind(api: Api) -> None:
    """The database of these tests takes any kind of event, as after the migration of a newer version."""
    await newer_version.take_any_kind(api.build.database)


@pytest.fixture
async def task(api: Api) -> TaskRow:
    """A task with events that a newer version wrote among its own."""
    task = await api.build.a_task()
    payloads = [(kind, task_payload(**{"task": str(task.id)} | values)) for kind, values in FUTURE]
    await newer_version.record(api.build.database, task.id, *payloads)
    await api.numbered()
    return task


@pytest.mark.parametrize("spelling", ["", "# a new text, so that the general executor runs it\n"])
async def test_known_parts_of_newer_events_are_shown(api: Api, task: TaskRow, spelling: str):
    """Unknown events are left out, a page is full nevertheless, and both executors agree."""
    owner = await api.build.user(task.owner_id)
    answers = [
        await api.ask(spelling + HISTORY, owner, id=task_id(task), first=first) for first in (10, 10, 10, 3, 3, 3)
    ]
    pages = [answer.data["task"]["history"] for answer in answers]

    assert [page["nodes"] for page in pages] == [SHOWN] * 3 + [SHOWN[:3]] * 3
    assert [page["pageInfo"]["hasNextPage"] for page in pages] == [False] * 3 + [True] * 3
