"""The client of the commands, with responses of a newer server."""

from typing import Any
from uuid import UUID

import pytest

from domain.events import TaskChange
from domain.stream_cursor import StreamCursor
from graphql_api.schema.ids import encode_id
from tests.domain.test_stream_cursor import encoded
from verification.client.failures import NewerServer
from verification.client.follower import _FOR_GOOD
from verification.client.reading import facts_of, item_of

OWNER = {"id": encode_id("User", UUID(int=1))}
TASK: dict[str, Any] = {
    "id": encode_id("Task", UUID(int=2)),
    "version": 1,
    "status": "DONE",
    "title": "x",
    "owner": OWNER,
    "assignee": None,
}
ITEM: dict[str, Any] = {
    "__typename": "TaskChanged",
    "cursor": StreamCursor("e", 1, 1).encode(),
    "at": "2026-11-23T09:00:00.000Z",
    "taskId": TASK["id"],
    "task": TASK,
    "changes": ["COLOR", "TITLE"],
    "by": None,
}


def test_unknown_changes_and_items_are_left_out():
    """The known parts are used."""
    item = item_of(ITEM)

    assert item is not None
    assert item.changes == (TaskChange.TITLE,)
    assert item_of(ITEM | {"__typename": "TaskArchived"}) is None


@pytest.mark.parametrize(
    ("item", "what"),
    [
        (ITEM | {"task": TASK | {"status": "BLOCKED"}}, "TaskStatus 'BLOCKED'"),
        (ITEM | {"__typename": "TaskStatusChanged", "from": "BLOCKED", "to": "DONE"}, "TaskStatus 'BLOCKED'"),
        (ITEM | {"cursor": encoded("s3.e.1.1")}, "stream cursor"),
    ],
)
def test_an_unknown_task_ends_the_command(item: dict[str, Any], what: str):
    """In one line that says what to do."""
    with pytest.raises(NewerServer) as newer:
        item_of(item)

    advice = "use the server's version of the command."
    assert str(newer.value) == f"This version of `taskriver` does not know the server's {what}: {advice}"
    assert newer.value.code in _FOR_GOOD


def test_a_list_of_tasks_is_parsed_alike():
    """The same for tasks outside of the stream."""
    with pytest.raises(NewerServer):
        facts_of(TASK | {"status": "BLOCKED"})
