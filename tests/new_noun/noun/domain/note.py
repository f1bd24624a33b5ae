"""Notes on tasks: their rules and their event."""

from dataclasses import dataclass
from typing import ClassVar, Final
from uuid import UUID

from domain.event_format import ID, EventFormat, JSONKey
from domain.events import TASK_SCOPE, EventKind, TaskScopedEvent
from domain.text import check_text

MAX_NOTE: Final = 2_000


def check_note(text: str) -> str:
    """The text, stripped: 1 to 2,000 characters.

    Raises:
        Invalid: outside these limits.
    """
    return check_text(text, field="text", at_least=1, at_most=MAX_NOTE)


@dataclass(slots=True)
class NoteEvent(TaskScopedEvent):
    """A note was written or changed."""

    kind: ClassVar = EventKind.NOTE
    json_format: ClassVar = EventFormat(**TASK_SCOPE, note_id=JSONKey("note", ID))

    note_id: UUID
