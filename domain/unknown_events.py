"""Events that this version cannot read: a newer version wrote them, or they are damaged.

They keep their position, so that the log stays dense for every reader.
"""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID


@dataclass(frozen=True, slots=True)
class SkippedEvent:
    """An event that is not delivered to anybody: its kind is unknown, or its payload cannot be read."""

    kind: str


@dataclass(frozen=True, slots=True)
class UnknownAccess:
    """A change of rights that this version cannot read; without a user it may concern everybody.

    It may have taken any right away, so that whatever is known of the user's rights has to be read again. Like an
    `AccessEvent` without these ids it concerns all sessions.
    """

    user_id: UUID | None
    session_id: ClassVar[UUID | None] = None
    spared_session_id: ClassVar[UUID | None] = None
