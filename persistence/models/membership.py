"""The table of memberships in projects."""

from datetime import datetime
from uuid import UUID, uuid5

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from domain.identity import MAX_PROVIDER
from domain.project import ProjectRole
from persistence.models.base import Base
from persistence.models.stored_enum import StoredEnum


class MembershipRow(Base):
    """A user's membership in a project. `number` grows: it is the order in which members were added.

    `provider` is the provider whose groups have given it, and decide about it at each sign-in. It is null for one that
    was given by hand, which no provider changes.
    """

    __tablename__ = "memberships"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    role: Mapped[ProjectRole] = mapped_column(StoredEnum(ProjectRole, "role"))
    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    created_at: Mapped[datetime]
    provider: Mapped[str | None] = mapped_column(String(MAX_PROVIDER))

    __table_args__ = (
        Index("ix_memberships_project_id_number", "project_id", "number"),
        Index("uq_memberships_user_id_project_id", "user_id", "project_id", unique=True),
    )


def membership_id(project_id: UUID, user_id: UUID) -> UUID:
    """The id of a user's membership in a project (UUIDv5, RFC 9562). So its row is locked without a search for it."""
    return uuid5(project_id, user_id.hex)
