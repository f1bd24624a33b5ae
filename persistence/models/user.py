"""Users, as they are stored."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Enum, Index, String, func
from sqlalchemy.orm import Mapped, mapped_column

from domain.user import MAX_EMAIL, MAX_USERNAME, Role
from persistence.models.base import Base, new_id


class UserRow(Base):
    """Somebody who can sign in. `access_version` grows with every change of rights."""

    __tablename__ = "users"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    username: Mapped[str] = mapped_column(String(MAX_USERNAME))
    email: Mapped[str] = mapped_column(String(MAX_EMAIL))
    password_hash: Mapped[str] = mapped_column(String(100))
    role: Mapped[Role] = mapped_column(Enum(Role, native_enum=False, length=20, create_constraint=True, name="role"))
    is_active: Mapped[bool] = mapped_column(default=True)
    access_version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    __table_args__ = (
        Index("uq_users_username_lower", func.lower(username), unique=True),
        Index("uq_users_email_lower", func.lower(email), unique=True),
        Index(
            "ix_users_username_prefix",
            func.lower(username).label("username_lower"),
            postgresql_ops={"username_lower": "text_pattern_ops"},
        ),
        Index("ix_users_created_at_id", "created_at", "id"),
        Index("ix_users_admins", "id", postgresql_where=(role == Role.ADMIN)),
    )
