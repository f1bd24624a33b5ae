"""The table of deleted tasks that can be restored."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, ForeignKey, Identity, Index, MetaData, String, Text, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from domain.rank import LONG
from domain.task import MAX_TITLE, TaskPriority, TaskStatus
from persistence.models.base import Base
from persistence.models.stored_enum import StoredEnum
from persistence.models.task import Priority


class TrashRow(Base):
    """A deleted task: the values of its row in `tasks`, with the version of its deletion.

    `root_id` is the id of the task that was deleted: its own, or that of the task of which it was a subtask. `place`
    grows: it is the order in which tasks were deleted.
    """

    __tablename__ = "trash"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(MAX_TITLE))
    description: Mapped[str] = mapped_column(Text)
    status: Mapped[TaskStatus] = mapped_column(StoredEnum(TaskStatus, "status"))
    priority: Mapped[TaskPriority] = mapped_column(Priority)
    due_at: Mapped[datetime | None]
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    assignee_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    version: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]
    project_id: Mapped[UUID | None] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    number: Mapped[int | None]
    comment_count: Mapped[int]
    label_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()))
    rank: Mapped[str | None] = mapped_column(String(LONG, collation="C"))
    parent_id: Mapped[UUID | None]
    subtask_count: Mapped[int]
    done_subtask_count: Mapped[int]
    root_id: Mapped[UUID] = mapped_column(index=True)
    deleted_at: Mapped[datetime] = mapped_column(index=True)
    deleted_by: Mapped[UUID]
    place: Mapped[int] = mapped_column(BigInteger, Identity(always=True))

    __table_args__ = (
        Index("ix_trash_project_id_place", "project_id", "place"),
        Index("ix_trash_owner_id_place", "owner_id", "place", postgresql_where=text("project_id IS NULL")),
    )


class VisibleTrashRow(Base):
    """A deleted task as a user sees it. It is not a table: `persistence/queries/trash.py` reads it."""

    __tablename__ = "visible_trash"
    metadata = MetaData()

    id: Mapped[UUID] = mapped_column(primary_key=True)
    title: Mapped[str]
    status: Mapped[TaskStatus] = mapped_column(StoredEnum(TaskStatus, "status"))
    owner_id: Mapped[UUID]
    project_id: Mapped[UUID | None]
    number: Mapped[int | None]
    version: Mapped[int]
    subtask_count: Mapped[int]
    comment_count: Mapped[int]
    deleted_at: Mapped[datetime]
    deleted_by: Mapped[UUID]
    place: Mapped[int]
    project_key: Mapped[str | None]
