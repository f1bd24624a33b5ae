"""Every mapped table; importing this package completes `Base.metadata`."""

from persistence.models.base import Base
from persistence.models.event import EventHeadRow, EventRow
from persistence.models.idempotency import IdempotencyRow
from persistence.models.session import SessionRow, UsedTokenRow
from persistence.models.task import TaskRow
from persistence.models.task_text import TaskTextRow
from persistence.models.user import UserRow

__all__ = [
    "Base",
    "EventHeadRow",
    "EventRow",
    "IdempotencyRow",
    "SessionRow",
    "TaskRow",
    "TaskTextRow",
    "UsedTokenRow",
    "UserRow",
]
