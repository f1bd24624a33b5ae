"""What tasks say, apart from them, for searching."""

from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from domain.task import MAX_TITLE
from persistence.models.base import Base


class TaskTextRow(Base):
    """A copy of a task's title and description, with the indexes that search them.

    Every change of a task makes another version of its row, and has that entered into all indexes of its table. A long
    description has thousands of trigrams, so what is moved all day must not be what they belong to. Triggers keep it:
    whoever writes a task, by whatever means, has its text found.
    """

    __tablename__ = "task_texts"

    task_id: Mapped[UUID] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True)
    title: Mapped[str] = mapped_column(String(MAX_TITLE))
    description: Mapped[str] = mapped_column(Text)

    __table_args__ = (
        Index("ix_task_texts_title_trgm", "title", postgresql_using="gin", postgresql_ops={"title": "gin_trgm_ops"}),
        Index(
            "ix_task_texts_description_trgm",
            "description",
            postgresql_using="gin",
            postgresql_ops={"description": "gin_trgm_ops"},
        ),
    )
