"""A separate table with the texts of tasks, for the search."""

from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from domain.task import MAX_TITLE
from persistence.models.base import Base


class TaskTextRow(Base):
    """A copy of a task's title and description, with the indexes that search them.

    Every update of a task writes a new row version, with new entries in all indexes of the table. A long description
    has thousands of trigrams, so these indexes are not on the table whose status changes often. Triggers update this
    table, so that a text is found no matter how the task was written.
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
