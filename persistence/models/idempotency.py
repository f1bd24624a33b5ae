"""Which requests have been carried out already."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from persistence.models.base import Base


class IdempotencyRow(Base):
    """A write that came with a key: what was asked for, and which object, at which version, it has led to.

    `version` is null if nothing had to be changed. `actor_id` is whose key it is; null: of before that was kept.
    """

    __tablename__ = "idempotency_keys"

    scope: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary(32))
    object_id: Mapped[UUID]
    version: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(index=True)
    actor_id: Mapped[UUID | None] = mapped_column()

    __table_args__ = (
        Index(
            "ix_idempotency_keys_actor_id_created_at",
            "actor_id",
            "created_at",
            postgresql_where=actor_id.is_not(None),
        ),
    )
