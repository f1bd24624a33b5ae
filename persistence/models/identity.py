"""Identities at providers, and what may be used only once."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from domain.identity import MAX_ACCOUNT_NAME, MAX_ISSUER, MAX_PROVIDER, MAX_SUBJECT
from persistence.models.base import Base, new_id


class IdentityRow(Base):
    """An account at an OpenID Connect provider that is linked to a user.

    `issuer` and `subject` identify it. `provider` is the name in the settings at the time of the last sign-in, and
    `account_name` what the provider called the account then.
    """

    __tablename__ = "identities"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    provider: Mapped[str] = mapped_column(String(MAX_PROVIDER))
    issuer: Mapped[str] = mapped_column(String(MAX_ISSUER))
    subject: Mapped[str] = mapped_column(String(MAX_SUBJECT))
    account_name: Mapped[str | None] = mapped_column(String(MAX_ACCOUNT_NAME))
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]

    __table_args__ = (Index("uq_identities_issuer_subject", "issuer", "subject", unique=True),)


class SingleUseRow(Base):
    """Something that may be used only once, such as the state of a sign-in, and was used; only its hash is stored."""

    __tablename__ = "single_uses"

    use_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)
