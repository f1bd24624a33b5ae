"""The tables of projects and of their keys."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, MetaData, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from domain.project import MAX_KEY, MAX_NAME, ProjectRole
from persistence.models.base import Base, new_id
from persistence.models.stored_enum import StoredEnum


class ProjectRow(Base):
    """A project. `key` is its current key, in upper case. `version` counts the changes of the project itself."""

    __tablename__ = "projects"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    key: Mapped[str] = mapped_column(String(MAX_KEY), unique=True)
    name: Mapped[str] = mapped_column(String(MAX_NAME))
    description: Mapped[str] = mapped_column(Text)
    is_archived: Mapped[bool]
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class ProjectKeyRow(Base):
    """A key that a project has or had. So an old key leads to its project, and no other project can take it."""

    __tablename__ = "project_keys"

    key: Mapped[str] = mapped_column(String(MAX_KEY), primary_key=True)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)


class VisibleProjectRow(Base):
    """A project as a user sees it, with the user's role in it; None if the user is not a member.

    `head_epoch`, `head_position` and `head_fingerprint` are the head of the event log when the project was read. All
    changes up to this position are in the row. In an item of a stream the epoch is empty. It is not a table:
    `persistence/queries/project.py` reads it.
    """

    __tablename__ = "visible_projects"
    metadata = MetaData()

    id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str]
    name: Mapped[str]
    description: Mapped[str]
    is_archived: Mapped[bool]
    version: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    viewer_role: Mapped[ProjectRole | None] = mapped_column(StoredEnum(ProjectRole, "viewer_role"))
    head_epoch: Mapped[str]
    head_position: Mapped[int] = mapped_column(BigInteger)
    head_fingerprint: Mapped[int | None] = mapped_column(BigInteger)
