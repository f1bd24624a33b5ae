"""One task as a record: how its values are read and written."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID, uuid5

from cli.transfer.dates import DateReader
from domain.errors import Invalid
from domain.task import TaskPriority, TaskStatus
from services.import_export import ExportedTask, ImportedTask

_TRUTHS: Final = {True: TaskStatus.DONE, False: TaskStatus.TODO, "true": TaskStatus.DONE, "false": TaskStatus.TODO}
_ELSEWHERE: Final = UUID("6f0a3d5e-6d0f-5c53-9d0a-5b1f6c1f7a11")
_MAX_ID: Final = 200

Choice = TypeVar("Choice", TaskStatus, TaskPriority)


@dataclass(frozen=True, slots=True)
class Record:
    """A task that was read; its people are names that nobody has looked up yet."""

    arrival: ImportedTask
    owner: str | None
    assignee: str | None


def read(values: Mapping[str, Any], *, source: str | None, number: int, now: datetime, dates: DateReader) -> Record:
    """The task in *values*, which are by field (`Columns.record`), with each value checked.

    A task without an id gets one from its line *number* and the *source*.

    Raises:
        Invalid: a field is missing or breaks a rule.
    """
    told = {field: value for field, value in values.items() if value is not None}
    owner = _text(told, "owner") or None
    arrival = ImportedTask(
        task_id=_task_id(told, source, number),
        title=_text(told, "title"),
        description=_text(told, "description"),
        status=_status(told),
        priority=_choice(told, "priority", TaskPriority, TaskPriority.MEDIUM),
        due_at=_instant(told, "dueAt", dates),
        created_at=_instant(told, "createdAt", dates),
        completed_at=_instant(told, "completedAt", dates),
    )
    return Record(arrival.checked(now), owner, _text(told, "assignee") or None)


def write(departure: ExportedTask) -> dict[str, Any]:
    """A task as a record."""
    task = departure.task
    return {
        "id": str(task.id),
        "title": task.title,
        "description": task.description,
        "status": task.status.value,
        "priority": task.priority.name,
        "dueAt": _written(task.due_at),
        "owner": departure.owner,
        "assignee": departure.assignee,
        "createdAt": _written(task.created_at),
        "updatedAt": _written(task.updated_at),
        "completedAt": _written(task.completed_at),
        "version": task.version,
    }


def _text(told: Mapping[str, Any], field: str) -> str:
    value = told.get(field, "")
    if not isinstance(value, str):
        raise Invalid(f"{field} must be text.", path=(field,))
    return value


def _task_id(told: Mapping[str, Any], source: str | None, number: int) -> UUID:
    name = told.get("id", "")
    if isinstance(name, int) and not isinstance(name, bool):
        name = str(name)
    if not isinstance(name, str) or len(name) > _MAX_ID:
        raise Invalid(f"id must be a UUID, or any name of up to {_MAX_ID} characters.", path=("id",))
    if name:
        try:
            return UUID(name)
        except ValueError:
            return uuid5(_ELSEWHERE, json.dumps([source, name]))
    if source is None:
        raise Invalid("id is missing: give every task one, or say with --source what their lines are of.", path=("id",))
    return uuid5(_ELSEWHERE, json.dumps([source, number]))


def _status(told: Mapping[str, Any]) -> TaskStatus:
    completed = told.get("completed")
    if completed is None or completed == "":
        return _choice(told, "status", TaskStatus, TaskStatus.TODO)
    known = completed.lower() if isinstance(completed, str) else completed
    if not isinstance(known, bool | str) or known not in _TRUTHS:
        raise Invalid("completed must be true or false.", path=("completed",))
    if "status" in told:
        raise Invalid("completed is another word for the status: give one of them.", path=("completed",))
    return _TRUTHS[known]


def _choice(told: Mapping[str, Any], field: str, kind: type[Choice], default: Choice) -> Choice:
    name = _text(told, field).upper()
    if not name:
        return default
    if name not in kind.__members__:
        raise Invalid(f"{field} must be one of {', '.join(kind.__members__)}.", path=(field,))
    return kind[name]


def _instant(told: Mapping[str, Any], field: str, dates: DateReader) -> datetime | None:
    text = _text(told, field)
    return dates.read(text, field=field) if text.strip() else None


def _written(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat().replace("+00:00", "Z")
