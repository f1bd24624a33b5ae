"""Idempotency keys of executed requests."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from persistence.models.base import Base


class IdempotencyRow(Base):
    """A write with a key: the fingerprint of the request, and the resulting object with its version.

    `version` is null if nothing was changed. `actor_id` is null in rows of versions that did not store it.
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
