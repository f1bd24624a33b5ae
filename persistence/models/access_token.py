"""Personal access tokens."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, ForeignKey, ForeignKeyConstraint, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from domain.access_token import MAX_NAME
from persistence.models.base import Base, new_id
from persistence.models.stored_enum import MAX_NAME as MAX_SCOPE


class AccessTokenRow(Base):
    """A personal access token of a user; only its hash is stored. A revoked token is deleted.

    `scopes` has the names of `domain.access_token.Scope`, and those of newer versions. `last_used_at` is approximate.
    A token for one project has a `project_id`, and ends with the user's membership in the project.
    """

    __tablename__ = "access_tokens"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(MAX_NAME))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(String(MAX_SCOPE)))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    last_used_at: Mapped[datetime | None]
    project_id: Mapped[UUID | None]

    __table_args__ = (
        ForeignKeyConstraint(
            ["user_id", "project_id"],
            ["memberships.user_id", "memberships.project_id"],
            name="fk_access_tokens_user_id_project_id",
            ondelete="CASCADE",
        ),
        Index("ix_access_tokens_member", "user_id", "project_id", postgresql_where=text("project_id IS NOT NULL")),
    )
