"""The output of `taskriver watch` for items without a task, and for changes without a name."""

from typing import Any

import pytest

from cli.watch import line

ITEM: dict[str, Any] = {"at": "2026-11-23T09:15:02+00:00", "taskId": "VDox", "task": None, "by": {"username": "bob"}}


@pytest.mark.parametrize(
    ("more", "written"),
    [
        ({"__typename": "TaskStatusChanged", "from": "TODO", "to": "DONE"}, "TODO→DONE"),
        ({"__typename": "TaskChanged", "changes": ["TITLE", "STATUS"]}, "TITLE+STATUS"),
        ({"__typename": "TaskChanged", "changes": []}, "CHANGED"),
    ],
)
def test_a_deleted_task_is_shown_by_its_id(more: dict[str, Any], written: str):
    """It has no title."""
    words = line(ITEM | more).split()

    assert words[1:] == [written, "VDox", "(deleted", "since)", "(bob)"]
