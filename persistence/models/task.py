"""The table of tasks, with an index for every order of a list."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    SmallInteger,
    String,
    Text,
    text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from domain.task import MAX_TITLE, TaskPriority, TaskStatus
from domain.unknown_values import UnknownValue
from persistence.models.base import Base, new_id
from persistence.models.stored_enum import StoredEnum


class Priority(TypeDecorator[TaskPriority]):
    """A priority, stored as its number so that ORDER BY sorts by urgency."""

    impl = SmallInteger
    cache_ok = True

    def process_bind_param(self, value: TaskPriority | None, dialect: Dialect) -> int | None:
        return None if value is None else int(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> TaskPriority | None:
        try:
            return None if value is None else TaskPriority(value)
        except ValueError:
            raise UnknownValue("priority", value) from None


class TaskRow(Base):
    """A task. `version` counts its changes; each change has an event."""

    __tablename__ = "tasks"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    title: Mapped[str] = mapped_column(String(MAX_TITLE))
    description: Mapped[str] = mapped_column(Text)
    status: Mapped[TaskStatus] = mapped_column(StoredEnum(TaskStatus, "status"))
    priority: Mapped[TaskPriority] = mapped_column(Priority)
    due_at: Mapped[datetime | None]
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    assignee_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("priority BETWEEN 1 AND 4", name="priority"),
        Index("ix_tasks_created_at_id", "created_at", "id"),
        Index("ix_tasks_updated_at_id", "updated_at", "id"),
        Index("ix_tasks_priority_id", "priority", "id"),
        Index("ix_tasks_status_created_at_id", "status", "created_at", "id"),
        Index("ix_tasks_owner_id_created_at_id", "owner_id", "created_at", "id"),
        Index("ix_tasks_assignee_id_created_at_id", "assignee_id", "created_at", "id"),
        # Tasks without a due date come last in both directions, so each direction has its own index.
        Index(
            "ix_tasks_due_first",
            text("coalesce(due_at, 'infinity'::timestamptz)"),
            "id",
        ),
        Index(
            "ix_tasks_due_last",
            text("coalesce(due_at, '-infinity'::timestamptz)"),
            "id",
        ),
    )
