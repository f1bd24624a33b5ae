"""The JSON of a task is that of the documented model, whether its row was read or changed."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from domain.task import TaskPriority, TaskStatus
from persistence.models import VisibleTaskRow
from rest_api.task import Task
from rest_api.task_json import TASK_SHAPE, row_fields, task_fields, to_json

INSTANTS = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 12, 30, 5, 120, tzinfo=UTC))


@pytest.mark.parametrize("status", TaskStatus)
@pytest.mark.parametrize("priority", TaskPriority)
@pytest.mark.parametrize("instant", INSTANTS)
def test_the_same_bytes(status: TaskStatus, priority: TaskPriority, instant: datetime):
    """Every field in the same order and form, set or null."""
    for optional in (None, instant):
        row = VisibleTaskRow(
            id=uuid4(),
            title='Ünder "the" bridge',
            description="",
            status=status,
            priority=priority,
            due_at=optional,
            owner_id=uuid4(),
            assignee_id=uuid4() if optional else None,
            version=7,
            created_at=instant,
            updated_at=instant,
            completed_at=optional,
        )
        stored = [getattr(row, name) for name in TASK_SHAPE.columns]
        plain = [int(value) if isinstance(value, TaskPriority) else value for value in stored]

        changed = to_json(row_fields(row))

        assert to_json(task_fields(plain)) == changed
        assert Task.model_validate_json(changed).model_dump_json().encode() == changed
