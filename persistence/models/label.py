"""The table of labels."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from domain.label import MAX_NAME
from persistence.models.base import Base, new_id

MAX_FOLDED = 3 * MAX_NAME
"""Folding makes at most three characters of one."""


class LabelRow(Base):
    """A label of a project. `folded_name` is the name without differences of case. `version` counts its changes."""

    __tablename__ = "labels"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(MAX_NAME))
    folded_name: Mapped[str] = mapped_column(String(MAX_FOLDED, collation="C"))
    color: Mapped[str] = mapped_column(String(7))
    version: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    __table_args__ = (Index("uq_labels_project_id_folded_name", "project_id", "folded_name", unique=True),)
