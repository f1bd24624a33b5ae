"""Tasks as they are read and written down for many: from a row of the read to JSON, without a model in between."""

from typing import Any, Final

import orjson

from domain.task import TaskPriority, TaskStatus
from persistence.queries.reader import Row, Shape

READ: Final = Shape(
    (
        *("id", "title", "description", "status", "created_at", "owner_id"),
        *("priority", "due_at", "assignee_id", "updated_at", "version"),
    )
)
_NAMES: Final = {priority.value: priority.name for priority in TaskPriority}


def written(row: Row) -> dict[str, Any]:
    """A row as `Task` describes it, fields in the same order."""
    identity, title, description, status, created_at, owner_id, priority, due_at, assignee_id, updated_at, version = row
    return {
        "uuid": str(identity),
        "title": title,
        "description": description,
        "completed": status == TaskStatus.DONE,
        "created_at": created_at,
        "owner_uuid": str(owner_id),
        "status": status,
        "priority": _NAMES[priority],
        "due_at": due_at,
        "assignee_uuid": str(assignee_id) if assignee_id is not None else None,
        "updated_at": updated_at,
        "version": version,
    }


def dumped(value: Any) -> bytes:
    """JSON with instants in UTC, `Z` at their end."""
    return orjson.dumps(value, option=orjson.OPT_UTC_Z)
