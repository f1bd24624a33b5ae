"""The table of the audit log."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Index, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from domain.audit import AuditAction, SubjectKind
from persistence.models.base import Base
from persistence.models.stored_enum import StoredEnum

MAX_NAME: Final = 100
"""Characters of the name of an actor or of a subject, which is a username or a key."""
MAX_ADDRESS: Final = 45
"""Characters of an address, or of a network of addresses."""


class AuditRow(Base):
    """One entry. It refers to users and projects without foreign keys, because it stays when they are deleted.

    `times` is the number of equal events that the entry stands for, and `last_at` the time of the last one; it is null
    for an entry that stands for one event. A trigger refuses every other change.
    """

    __tablename__ = "audit_entries"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    last_at: Mapped[datetime | None]
    times: Mapped[int]
    actor_id: Mapped[UUID | None]
    actor_name: Mapped[str | None] = mapped_column(String(MAX_NAME))
    ip_address: Mapped[str | None] = mapped_column(String(MAX_ADDRESS))
    action: Mapped[AuditAction] = mapped_column(StoredEnum(AuditAction, "action", is_closed=False))
    subject_kind: Mapped[SubjectKind | None] = mapped_column(StoredEnum(SubjectKind, "subject_kind", is_closed=False))
    subject_id: Mapped[UUID | None]
    subject_name: Mapped[str | None] = mapped_column(String(MAX_NAME))
    details: Mapped[dict[str, Any]] = mapped_column(JSONB)

    __table_args__ = (
        Index("ix_audit_entries_at_id", "at", "id"),
        Index("ix_audit_entries_actor_id_at_id", "actor_id", "at", "id"),
        Index("ix_audit_entries_action_at_id", "action", "at", "id"),
    )
