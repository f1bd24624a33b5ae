"""How one task is read from a record of a file, and written as one."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, TypeVar
from uuid import UUID, uuid5

from cli.transfer.dates import DateReader
from cli.transfer.nested_values import CommentRecord, read_comments, read_labels, write_comments
from domain.errors import Invalid
from domain.task import TaskPriority, TaskStatus
from persistence.models import VisibleTaskRow
from services.import_export import CheckedTask, ExportedTask, ImportedTask

_STATUS_OF_COMPLETED: Final = {
    True: TaskStatus.DONE,
    False: TaskStatus.TODO,
    "true": TaskStatus.DONE,
    "false": TaskStatus.TODO,
}
_NAMESPACE: Final = UUID("6f0a3d5e-6d0f-5c53-9d0a-5b1f6c1f7a11")
_MAX_ID: Final = 200

Choice = TypeVar("Choice", TaskStatus, TaskPriority)


@dataclass(frozen=True, slots=True)
class Record:
    """A task that was read from a file. The usernames, the key of the project and the labels are not looked up yet."""

    task: CheckedTask
    owner: str | None
    assignee: str | None
    project: str | None
    labels: Sequence[str] = ()
    comments: Sequence[CommentRecord] = ()


def read(values: Mapping[str, Any], *, source: str | None, number: int, now: datetime, dates: DateReader) -> Record:
    """Check *values*, which are by field (`Columns.record`), and return the task.

    The id of a task without an id is made of its line *number* and the *source*.

    Raises:
        Invalid: a field is missing or breaks a rule.
    """
    values = {field: value for field, value in values.items() if value is not None}
    owner, assignee, project = (_text(values, name) or None for name in ("owner", "assignee", "project"))
    parent = _id_text(values, "parent")
    if parent and project is None:
        raise Invalid("a subtask needs the project of its parent. --ignore parent imports a personal task.")
    task = ImportedTask(
        task_id=_task_id(values, source, number),
        title=_text(values, "title"),
        description=_text(values, "description"),
        status=_status(values),
        priority=_choice(values, "priority", TaskPriority, TaskPriority.MEDIUM),
        due_at=_time(values, "dueAt", dates),
        created_at=_time(values, "createdAt", dates),
        completed_at=_time(values, "completedAt", dates),
        parent_id=_named_id(parent, source) if parent else None,
        rank=_text(values, "rank") or None,
    )
    labels, comments = read_labels(values.get("labels", [])), read_comments(values.get("comments", []), dates, now)
    if labels and project is None:
        raise Invalid("labels need a project: a personal task has none.", path=("labels",))
    return Record(task.checked(now), owner, assignee, project, labels, comments)


def write(exported: ExportedTask) -> dict[str, Any]:
    """A task as a record."""
    task = exported.task
    return {
        "id": str(task.id),
        "title": task.title,
        "description": task.description,
        "status": task.status.value,
        "priority": task.priority.name,
        "dueAt": _format_time(task.due_at),
        "owner": exported.owner,
        "assignee": exported.assignee,
        "createdAt": _format_time(task.created_at),
        "updatedAt": _format_time(task.updated_at),
        "completedAt": _format_time(task.completed_at),
        "version": task.version,
        "project": task.project_key,
        "key": _key(task),
        "labels": list(exported.labels),
        "comments": write_comments(exported.comments),
        "parent": None if task.parent_id is None else str(task.parent_id),
        "rank": task.rank,
    }


def _key(task: VisibleTaskRow) -> str | None:
    return f"{task.project_key}-{task.number}" if task.number is not None else None


def _text(values: Mapping[str, Any], field: str) -> str:
    value = values.get(field, "")
    if not isinstance(value, str):
        raise Invalid(f"{field} must be text.", path=(field,))
    return value


def _task_id(values: Mapping[str, Any], source: str | None, number: int) -> UUID:
    name = _id_text(values, "id")
    if name:
        return _named_id(name, source)
    if source is None:
        raise Invalid("id is missing: add ids, or name the source of the lines with --source NAME.", path=("id",))
    return uuid5(_NAMESPACE, json.dumps([source, number]))


def _id_text(values: Mapping[str, Any], field: str) -> str:
    name = values.get(field, "")
    if isinstance(name, int) and not isinstance(name, bool):
        name = str(name)
    if not isinstance(name, str) or len(name) > _MAX_ID:
        raise Invalid(f"{field} must be a UUID, or any name of up to {_MAX_ID} characters.", path=(field,))
    return name


def _named_id(name: str, source: str | None) -> UUID:
    """The id of a task with this name in the file."""
    try:
        return UUID(name)
    except ValueError:
        return uuid5(_NAMESPACE, json.dumps([source, name]))


def _status(values: Mapping[str, Any]) -> TaskStatus:
    completed = values.get("completed")
    if completed is None or completed == "":
        return _choice(values, "status", TaskStatus, TaskStatus.TODO)
    known = completed.lower() if isinstance(completed, str) else completed
    if not isinstance(known, bool | str) or known not in _STATUS_OF_COMPLETED:
        raise Invalid("completed must be true or false.", path=("completed",))
    if "status" in values:
        raise Invalid("completed and status are the same field: use only one of them.", path=("completed",))
    return _STATUS_OF_COMPLETED[known]


def _choice(values: Mapping[str, Any], field: str, kind: type[Choice], default: Choice) -> Choice:
    name = _text(values, field).upper()
    if not name:
        return default
    members: Mapping[str, Choice] = _members_of(kind)
    if name not in members:
        raise Invalid(f"{field} must be one of {', '.join(members)}.", path=(field,))
    return members[name]


@lru_cache(maxsize=10)
def _members_of(kind: type[Choice]) -> dict[str, Choice]:
    """The members of an enum by name; `__members__` makes a new mapping for each call."""
    return dict(kind.__members__)


def _time(values: Mapping[str, Any], field: str, dates: DateReader) -> datetime | None:
    text = _text(values, field)
    return dates.read(text, field=field) if text.strip() else None


def _format_time(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat().replace("+00:00", "Z")
