"""Mails that wait or were sent, and the tokens of their links."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from domain.mail import MAX_ERROR, LinkPurpose, MailKind
from domain.user import MAX_EMAIL
from persistence.models.base import Base, new_id
from persistence.models.stored_enum import StoredEnum


class MailRow(Base):
    """A mail. It has no text and no secret: the text is made when it is sent.

    It waits until `sent_at` or `failed_at` is set. An attempt moves `next_attempt_at` to the end of its lease first, so
    that another process tries again if this one dies.
    """

    __tablename__ = "mails"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[MailKind] = mapped_column(StoredEnum(MailKind, "kind", is_closed=False))
    recipient: Mapped[str] = mapped_column(String(MAX_EMAIL))
    details: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    next_attempt_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(String(MAX_ERROR))

    __table_args__ = (
        Index(
            "ix_mails_waiting",
            "next_attempt_at",
            postgresql_where=text("sent_at IS NULL AND failed_at IS NULL"),
        ),
        Index("ix_mails_created_at", "created_at"),
    )


class LinkTokenRow(Base):
    """The token of a link that was mailed to a user, or a code that an operator created for one.

    Only its hash is stored. A used token is deleted.
    """

    __tablename__ = "link_tokens"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    purpose: Mapped[LinkPurpose] = mapped_column(StoredEnum(LinkPurpose, "purpose", is_closed=False))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    email: Mapped[str] = mapped_column(String(MAX_EMAIL))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)
