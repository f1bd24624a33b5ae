"""The table of users."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Index, String, collate, func, text
from sqlalchemy.orm import Mapped, mapped_column

from domain.user import MAX_EMAIL, MAX_USERNAME, Role, UserKind
from persistence.models.base import Base, new_id
from persistence.models.stored_enum import StoredEnum


class UserRow(Base):
    """A user. `access_version` increases with every change of the user's rights.

    `email_verified_at` is when the user has shown that the address is theirs; None: not yet.
    A user without a password (`has_password` is false) has a hash that no password matches. `project_id` is the project
    of a service account, whose managers manage the account; None: admins do. There is no foreign key: if the project is
    deleted, the account must not become one of the admins.
    """

    __tablename__ = "users"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    username: Mapped[str] = mapped_column(String(MAX_USERNAME))
    email: Mapped[str] = mapped_column(String(MAX_EMAIL))
    password_hash: Mapped[str] = mapped_column(String(100))
    role: Mapped[Role] = mapped_column(StoredEnum(Role, "role"))
    is_active: Mapped[bool] = mapped_column(default=True)
    access_version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    email_verified_at: Mapped[datetime | None]
    kind: Mapped[UserKind] = mapped_column(StoredEnum(UserKind, "kind"), server_default=text("'HUMAN'"))
    has_password: Mapped[bool] = mapped_column(server_default=text("true"))
    project_id: Mapped[UUID | None]

    deleted_at: Mapped[datetime | None]

    __table_args__ = (
        # The "C" collation folds ASCII letters only, in the same way in every database, and supports prefix searches.
        Index("uq_users_username_lower", func.lower(collate(username, "C")), unique=True),
        Index("uq_users_email_lower", func.lower(collate(email, "C")), unique=True),
        Index("ix_users_created_at_id", "created_at", "id"),
        Index("ix_users_admins", "id", postgresql_where=(role == Role.ADMIN)),
        Index("ix_users_service", "created_at", "id", postgresql_where=(kind == UserKind.SERVICE)),
        Index("ix_users_project_id", "project_id", "created_at", "id", postgresql_where=text("project_id IS NOT NULL")),
    )


folded_email: ColumnElement[str] = func.lower(collate(UserRow.email, "C"))
"""The expression of the index `uq_users_email_lower`."""
folded_username: ColumnElement[str] = func.lower(collate(UserRow.username, "C"))
"""The expression of the index `uq_users_username_lower`."""
