"""Invitations."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from domain.project import ProjectRole
from domain.user import MAX_EMAIL, Role
from persistence.models.base import Base, new_id
from persistence.models.stored_enum import StoredEnum


class InvitationRow(Base):
    """An invitation of a person, to a project if it has one. A revoked invitation is deleted.

    Only the hash of the token is stored; it is None until the mail is sent. `inviter_id` is None for the operator, and
    refers to no row: the invitation of a user who was deleted must not become one of the operator.
    """

    __tablename__ = "invitations"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(String(MAX_EMAIL))
    role: Mapped[Role] = mapped_column(StoredEnum(Role, "role"))
    project_id: Mapped[UUID | None] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    project_role: Mapped[ProjectRole | None] = mapped_column(StoredEnum(ProjectRole, "project_role"))
    inviter_id: Mapped[UUID | None]
    is_mailed: Mapped[bool]
    token_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32), unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    accepted_by: Mapped[UUID | None]

    __table_args__ = (
        Index("ix_invitations_created_at_id", "created_at", "id"),
        Index("ix_invitations_project_id_created_at_id", "project_id", "created_at", "id"),
        Index("ix_invitations_expires_at", "expires_at"),
    )
