"""Events that this version cannot read: a newer version wrote them, or they are damaged.

They keep their position, so that the log stays dense for every reader.
"""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID


@dataclass(frozen=True, slots=True)
class SkippedEvent:
    """An event that is not delivered: its kind is unknown, or its payload cannot be read."""

    kind: str


@dataclass(frozen=True, slots=True)
class UnknownAccess:
    """A change of rights that this version cannot read; without a user id it may concern all users.

    It may have revoked any right, so cached rights of the user must be read again. It concerns all sessions, like an
    `AccessEvent` without these ids.
    """

    user_id: UUID | None
    session_id: ClassVar[UUID | None] = None
    spared_session_id: ClassVar[UUID | None] = None
    token_id: ClassVar[UUID | None] = None
    spares_tokens: ClassVar = False
