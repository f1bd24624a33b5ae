"""Comments on tasks: their rules and their event."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Final
from uuid import UUID

from domain.event_format import ID, PLAIN, EventFormat, JSONKey, ValueType
from domain.events import TASK_SCOPE, EventKind, TaskScopedEvent
from domain.text import check_text

MAX_COMMENT: Final = 10_000


class CommentChange(StrEnum):
    """What was done with a comment."""

    CREATED = "CREATED"
    UPDATED = "UPDATED"
    DELETED = "DELETED"


def check_comment(text: str) -> str:
    """The text, stripped: 1 to 10,000 characters.

    Raises:
        Invalid: outside these limits.
    """
    return check_text(text, field="text", at_least=1, at_most=MAX_COMMENT)


@dataclass(slots=True)
class CommentEvent(TaskScopedEvent):
    """A comment was created, updated or deleted. `comment_count` is the number of comments on the task after it."""

    kind: ClassVar = EventKind.COMMENT
    json_format: ClassVar = EventFormat(
        **TASK_SCOPE,
        comment_id=JSONKey("comment", ID),
        change=JSONKey("change", ValueType(lambda change: change.value, CommentChange)),
        comment_count=JSONKey("count", PLAIN),
    )

    comment_id: UUID
    change: CommentChange
    comment_count: int
