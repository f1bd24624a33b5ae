"""What `/ws/tasks/…` says, as text."""

from datetime import UTC, datetime
from typing import Any

import orjson

from domain.errors import FailureCode
from rest_api.task import Task
from streaming.stream_items import Delivered, Resync
from streaming.task_cache import TaskSnapshot
from streaming.visibility import Visibility


def told(item: Delivered, reading: TaskSnapshot) -> str:
    """What happened to a task; *reading* is the task as the client may see it now.

    The task of `task.status_changed` is always whole. Of a task that was deleted since, only what the event itself says
    is known: that is a frame of another type, which `task.deleted` follows.
    """
    event = item.event
    if item.visibility is Visibility.DELETED:
        return _about("task.deleted", item, {"task_uuid": event.task_id})
    if reading.people is None:
        return _about("task.gone", item, {"task_uuid": event.task_id})
    move = {"from": event.from_status, "to": event.to_status}
    if reading.task is None:
        return _about("task.status_changed_before_deletion", item, {"task_uuid": event.task_id} | move)
    return _about("task.status_changed", item, {"task": Task.of(reading.task).model_dump(mode="json")} | move)


def resync(item: Resync) -> str:
    """What came before is lost: list the tasks again, then go on from this cursor."""
    return _dump(
        {"type": "resync_required", "reason": item.reason, "cursor": item.cursor, "at": _instant(datetime.now(UTC))}
    )


def cursor(text: str) -> str:
    """Where the stream stands."""
    return _dump({"type": "cursor", "cursor": text})


def error(code: FailureCode, message: str) -> str:
    """What the client said, or asked for, was no use."""
    return _dump({"type": "error", "code": code, "message": message})


def _about(kind: str, item: Delivered, facts: dict[str, Any]) -> str:
    return _dump({"type": kind} | facts | {"cursor": item.cursor, "at": _instant(item.event.at)})


def _instant(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _dump(value: object) -> str:
    return orjson.dumps(value).decode()
