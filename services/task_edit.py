"""The editable fields of a task. Each is declared once: its check, its change in the event, its permission."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import Annotated, Any, Final, get_type_hints
from uuid import UUID

from domain.events import TaskChange
from domain.label import check_label_ids
from domain.policy import Action
from domain.task import TaskPriority, TaskStatus, check_description, check_due_at, check_title, status_when
from services.unset import UNSET, UnsetType


@dataclass(frozen=True, slots=True)
class EditableField:
    """What is known of a field; a `check` returns the value as it is stored, None: any value of the type is valid."""

    change: TaskChange
    permission: Action
    check: Callable[[Any], object] | None


def editable_fields(edit: type[Any]) -> Mapping[str, EditableField]:
    """The fields of a class by name, in the order in which they are checked and written.

    Raises:
        TypeError: a field has no `EditableField` in its annotation.
    """
    found = {name: _declared(hint) for name, hint in get_type_hints(edit, include_extras=True).items()}
    undeclared = [name for name, known in found.items() if known is None]
    if undeclared:
        raise TypeError(f"Annotate {', '.join(undeclared)} with EditableField(change, permission, check).")
    return {name: known for name, known in found.items() if known is not None}


def _declared(hint: Any) -> EditableField | None:
    return next((each for each in getattr(hint, "__metadata__", ()) if isinstance(each, EditableField)), None)


_TITLE: Final = EditableField(TaskChange.TITLE, Action.UPDATE_TASK, check_title)
_DESCRIPTION: Final = EditableField(TaskChange.DESCRIPTION, Action.UPDATE_TASK, check_description)
_STATUS: Final = EditableField(TaskChange.STATUS, Action.CHANGE_STATUS, None)
_PRIORITY: Final = EditableField(TaskChange.PRIORITY, Action.UPDATE_TASK, None)
_DUE_AT: Final = EditableField(TaskChange.DUE_AT, Action.UPDATE_TASK, check_due_at)
_LABELS: Final = EditableField(TaskChange.LABELS, Action.UPDATE_TASK, check_label_ids)
_ASSIGNEE: Final = EditableField(TaskChange.ASSIGNEE, Action.ASSIGN_TASK, None)


@dataclass(frozen=True, slots=True)
class TaskEdit:
    """The new values of a task's fields; UNSET leaves a field as it is.

    `completed` is the status for clients that know only whether a task is done; it overrides `status`.
    """

    title: Annotated[str | UnsetType, _TITLE] = UNSET
    description: Annotated[str | UnsetType, _DESCRIPTION] = UNSET
    status: Annotated[TaskStatus | UnsetType, _STATUS] = UNSET
    completed: Annotated[bool | UnsetType, _STATUS] = UNSET
    priority: Annotated[TaskPriority | UnsetType, _PRIORITY] = UNSET
    due_at: Annotated[datetime | UnsetType | None, _DUE_AT] = UNSET
    assignee_id: Annotated[UUID | UnsetType | None, _ASSIGNEE] = UNSET
    label_ids: Annotated[Collection[UUID] | UnsetType, _LABELS] = UNSET

    def checked(self) -> dict[str, Any]:
        """The values that are set, by field, as they are stored.

        Raises:
            Invalid: a value breaks a limit.
        """
        given = zip(EDITABLE, _values_of(self), strict=True)
        return checked_values({name: value for name, value in given if value is not UNSET})


EDITABLE: Final = editable_fields(TaskEdit)
STATUS_FIELDS: Final = frozenset(name for name, known in EDITABLE.items() if known.change is TaskChange.STATUS)
"""The fields that change the status."""
_values_of: Final = attrgetter(*EDITABLE)


def checked_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values of fields as they are stored; they are checked in the given order.

    Raises:
        Invalid: a value breaks a limit.
    """
    return {name: _checked(EDITABLE[name], value) for name, value in values.items()}


def _checked(known: EditableField, value: Any) -> Any:
    return value if known.check is None else known.check(value)


def permissions_of(values: Iterable[str]) -> tuple[Action, ...]:
    """The permissions that an edit of these fields needs, in the policy's order; without fields it is UPDATE_TASK."""
    return _permissions(tuple(values))


@lru_cache(maxsize=1_000)
def _permissions(names: tuple[str, ...]) -> tuple[Action, ...]:
    needed = {EDITABLE[name].permission for name in names} or {Action.UPDATE_TASK}
    return tuple(action for action in Action if action in needed)


def with_status(values: Mapping[str, Any], current: TaskStatus) -> Mapping[str, Any]:
    """The values with `completed` replaced by the status that it means for a task in *current*."""
    if "completed" not in values:
        return values
    status = status_when(current, completed=values["completed"])
    # In the same order, because it is that of the changes in the event.
    return {("status" if name == "completed" else name): value for name, value in values.items()} | {"status": status}
