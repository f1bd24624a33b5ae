"""The table of comments."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from persistence.models.base import Base, new_id


class CommentRow(Base):
    """A comment. `version` counts its changes; a comment above version 1 was edited.

    While its task is in the trash, the comment stays here, where no query finds it: it belongs to no task. A trigger
    deletes it when its task is in neither table any more.
    """

    __tablename__ = "comments"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    task_id: Mapped[UUID]
    author_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    text: Mapped[str] = mapped_column(Text)
    version: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    __table_args__ = (Index("ix_comments_task_id_id", "task_id", "id"),)
