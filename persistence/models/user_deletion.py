"""Deletions of users that are not finished, and the names of deleted users."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from persistence.models.base import Base


class UserDeletionRow(Base):
    """A deleted user whose tasks are not yet transferred.

    `tasks_to` gets the personal tasks; None: they are deleted. `deleted_by` is who deleted the user. Neither has a
    foreign key: if these users are deleted, too, their rows stay.
    """

    __tablename__ = "user_deletions"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    tasks_to: Mapped[UUID | None]
    deleted_by: Mapped[UUID]
    started_at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))


class ReservedNameRow(Base):
    """The SHA-256 of the username of a deleted user, in lower case. A trigger keeps new users from having it."""

    __tablename__ = "reserved_names"

    name_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
