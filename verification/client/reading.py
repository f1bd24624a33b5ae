"""Converts the JSON of the API to the types of a history."""

import base64
import time
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, TypeVar
from uuid import UUID

from domain.events import TaskChange
from domain.stream_cursor import StreamCursor, UnknownCursorVersion
from domain.task import TaskStatus
from verification.client.failures import NewerServer
from verification.history import Item, ItemKind, TaskFacts

TASK: Final = "id version status title updatedAt owner { id } assignee { id }"
ITEM: Final = f"""__typename cursor at taskId task {{ {TASK} }}
  ... on TaskChanged {{ changes by {{ username }} }}
  ... on TaskStatusChanged {{ from to by {{ username }} }}
  ... on ResyncRequired {{ reason }}"""

_KINDS: Final = frozenset(kind.value for kind in ItemKind)
_MemberT = TypeVar("_MemberT", bound=StrEnum)
_CHANGES: Final = {change.value: change for change in TaskChange}


def uuid_of(id: str) -> UUID:
    """The UUID in an id."""
    plain = base64.urlsafe_b64decode(id + "=" * (-len(id) % 4))
    return UUID(bytes=plain[-16:])


def member_of(members: type[_MemberT], name: str) -> _MemberT:
    """The member with this name.

    Raises:
        NewerServer: there is no such member.
    """
    try:
        return members(name)
    except ValueError:
        raise NewerServer(f"{members.__name__} {name[:40]!a}") from None


def changes_of(names: list[str]) -> tuple[TaskChange, ...]:
    """The changes that this version knows."""
    return tuple(_CHANGES[name] for name in names if name in _CHANGES)


def cursor_of(text: str) -> StreamCursor:
    """A stream cursor.

    Raises:
        NewerServer: it has another version.
    """
    try:
        return StreamCursor.decode(text)
    except UnknownCursorVersion:
        raise NewerServer("stream cursor") from None


def facts_of(task: dict[str, Any]) -> TaskFacts:
    """A task."""
    assignee = task["assignee"]
    return TaskFacts(
        task_id=uuid_of(task["id"]),
        version=task["version"],
        status=member_of(TaskStatus, task["status"]),
        title=task["title"],
        owner_id=uuid_of(task["owner"]["id"]),
        assignee_id=uuid_of(assignee["id"]) if assignee else None,
    )


def item_of(item: dict[str, Any]) -> Item | None:
    """An item that was received now; None for a kind that only newer versions know."""
    if item["__typename"] not in _KINDS:
        return None
    changes, before, after = item.get("changes"), item.get("from"), item.get("to")
    return Item(
        cursor=cursor_of(item["cursor"]),
        kind=ItemKind(item["__typename"]),
        at=datetime.fromisoformat(item["at"]),
        received=time.monotonic(),
        task_id=uuid_of(item["taskId"]) if item["taskId"] else None,
        task=facts_of(item["task"]) if item["task"] else None,
        changes=changes_of(changes) if changes is not None else None,
        from_status=member_of(TaskStatus, before) if before else None,
        to_status=member_of(TaskStatus, after) if after else None,
        reason=item.get("reason"),
    )
