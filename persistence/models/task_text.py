"""A separate table with the texts of tasks, for the search."""

from typing import Any, Final
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, ColumnElement, ForeignKey, Index, String, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column

from domain.task import MAX_TITLE
from persistence.models.base import Base


class TaskTextRow(Base):
    """A copy of a task's title and description, with the indexes that search them.

    Every update of a task writes a new row version, with new entries in all indexes of the table. A long description
    has thousands of trigrams, so these indexes are not on the table whose status changes often. Triggers update this
    table, so that a text is found no matter how the task was written.

    The search in all tasks uses trigrams. The search in a project uses keys that are made of three characters and the
    project's id, by the function `search_keys` of the database: frequent texts of other projects do not make it slower.
    """

    __tablename__ = "task_texts"

    task_id: Mapped[UUID] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True)
    title: Mapped[str] = mapped_column(String(MAX_TITLE))
    description: Mapped[str] = mapped_column(Text)
    project_id: Mapped[UUID | None]

    __table_args__ = (
        Index("ix_task_texts_title_trgm", "title", postgresql_using="gin", postgresql_ops={"title": "gin_trgm_ops"}),
        Index(
            "ix_task_texts_description_trgm",
            "description",
            postgresql_using="gin",
            postgresql_ops={"description": "gin_trgm_ops"},
        ),
        Index(
            "ix_task_texts_search_keys",
            text("search_keys(project_id, VARIADIC ARRAY[title::text, description])"),
            postgresql_using="gin",
            postgresql_where=text("project_id IS NOT NULL"),
        ),
    )


def search_keys(project_id: Any, *texts: Any) -> ColumnElement[Any]:
    """The keys of texts in a project, in SQL: sorted, each once; null if no text has three characters."""
    return func.search_keys(project_id, *texts, type_=ARRAY(BigInteger()))


SEARCH_KEYS: Final = search_keys(TaskTextRow.project_id, TaskTextRow.title, TaskTextRow.description)
"""The keys of a row's texts. The index has them for tasks of projects."""
