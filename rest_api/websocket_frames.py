"""The messages of `/ws/tasks/…`, as JSON text."""

from datetime import UTC, datetime
from typing import Any

from domain.errors import FailureCode
from domain.events import TaskEvent
from rest_api.task_json import row_fields, to_json
from streaming.stream_items import Delivered, Resync
from streaming.task_cache import TaskSnapshot
from streaming.visibility import Visibility


def task_event(item: Delivered, snapshot: TaskSnapshot) -> str:
    """The message for an event; *snapshot* is the current task as the client may see it.

    `task.status_changed` always has a complete task. If the task was deleted since, only the event is known: this is a
    message of another type, and `task.deleted` follows it.
    """
    event = item.task_event
    if item.visibility is Visibility.DELETED:
        return _about("task.deleted", item, {"task_uuid": event.task_id})
    if snapshot.people is None:
        return _about("task.gone", item, {"task_uuid": event.task_id})
    assert isinstance(event, TaskEvent)
    transition = {"from": event.from_status, "to": event.to_status}
    if snapshot.task is None:
        return _about("task.status_changed_before_deletion", item, {"task_uuid": event.task_id} | transition)
    return _about("task.status_changed", item, {"task": row_fields(snapshot.task)} | transition)


def resync(item: Resync) -> str:
    """Earlier events are lost: the client must list the tasks again, and continue at this cursor."""
    return _dump(
        {"type": "resync_required", "reason": item.reason, "cursor": item.cursor, "at": _instant(datetime.now(UTC))}
    )


def cursor(text: str) -> str:
    """The current position of the stream."""
    return _dump({"type": "cursor", "cursor": text})


def error(code: FailureCode, message: str) -> str:
    """The message for an error of the client."""
    return _dump({"type": "error", "code": code, "message": message})


def _about(kind: str, item: Delivered, fields: dict[str, Any]) -> str:
    return _dump({"type": kind} | fields | {"cursor": item.cursor, "at": _instant(item.event.at)})


def _instant(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _dump(value: object) -> str:
    return to_json(value).decode()
