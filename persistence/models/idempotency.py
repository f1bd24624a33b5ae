"""Which requests have been carried out already."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from persistence.models.base import Base


class IdempotencyRow(Base):
    """A write that came with a key: what was asked for, and which object, at which version, it has led to.

    `version` is null if nothing had to be changed.
    """

    __tablename__ = "idempotency_keys"

    scope: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary(32))
    object_id: Mapped[UUID]
    version: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(index=True)
