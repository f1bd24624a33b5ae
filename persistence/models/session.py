"""Sessions and their used refresh tokens."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from domain.identity import MAX_PROVIDER, MAX_SUBJECT
from domain.session import MAX_USER_AGENT
from persistence.models.base import Base, new_id


class SessionRow(Base):
    """One signed-in device with its rotating refresh tokens, of which only hashes are stored.

    `provider` is the provider through which the user has signed in, `provider_subject` its name for the user, and
    `provider_session` its name for its own session; they are null for other sign-ins. The provider can end the session.

    `key_id` is the id of the key that derived the current token from its parent, so that the same successor can be
    derived again after a change of the signing key.
    """

    __tablename__ = "sessions"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    key_id: Mapped[str] = mapped_column(String(100))
    ip_address: Mapped[str] = mapped_column(String(45))
    user_agent: Mapped[str | None] = mapped_column(String(MAX_USER_AGENT))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    last_used_at: Mapped[datetime | None]
    provider: Mapped[str | None] = mapped_column(String(MAX_PROVIDER))
    provider_subject: Mapped[str | None] = mapped_column(String(MAX_SUBJECT))
    provider_session: Mapped[str | None] = mapped_column(String(MAX_SUBJECT))

    __table_args__ = (
        Index(
            "ix_sessions_provider_subject",
            "provider_subject",
            "provider",
            postgresql_where=text("provider_subject IS NOT NULL"),
        ),
        Index(
            "ix_sessions_provider_session",
            "provider_session",
            "provider",
            postgresql_where=text("provider_session IS NOT NULL"),
        ),
    )


class UsedTokenRow(Base):
    """A refresh token that was exchanged for its successor. If it is used again too late, it counts as stolen."""

    __tablename__ = "used_tokens"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    session_id: Mapped[UUID] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"), index=True)
    used_at: Mapped[datetime]
