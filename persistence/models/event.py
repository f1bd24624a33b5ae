"""The log of what has happened, and its head."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Identity,
    Index,
    SmallInteger,
    String,
    TableClause,
    column,
    table,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from domain.events import EventKind
from persistence.models.base import Base
from persistence.models.stored_enum import StoredEnum


class EventRow(Base):
    """One event. `id` is drawn by the INSERT while the task's row is locked; `position` comes after the commit."""

    __tablename__ = "events"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    position: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    kind: Mapped[EventKind] = mapped_column(StoredEnum(EventKind, "kind"))
    task_id: Mapped[UUID | None]
    user_id: Mapped[UUID | None]
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    recorded_at: Mapped[datetime]

    __table_args__ = (
        Index("ix_events_unnumbered", "id", postgresql_where=(position.is_(None))),
        Index("ix_events_task_id_position", "task_id", "position"),
    )


class LogStateRow(Base):
    """The one row that says which history the log is; a process that numbers events holds its lock.

    `trimmed` is the last position that retention has removed. The columns behind the epoch say where that history was
    last seen, as the server names itself, the database and this table; null: not known.

    Numbering does not update it: each version of a row stays as long as a snapshot is open that may see it.
    """

    __tablename__ = "log_state"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    trimmed: Mapped[int] = mapped_column(BigInteger)
    epoch: Mapped[str] = mapped_column(String(40))
    system_id: Mapped[int | None] = mapped_column(BigInteger)
    timeline: Mapped[int | None] = mapped_column(BigInteger)
    database_id: Mapped[int | None] = mapped_column(BigInteger)
    table_id: Mapped[int | None] = mapped_column(BigInteger)

    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)


class EventFloorRow(Base):
    """An id below which every event has a position, or was never committed; the greatest one counts.

    It counts in its epoch, and for the file in which the server keeps the table: in another one ids may start at 1.
    Rows are inserted and never updated, so that the greatest is found at once however many old ones cannot be removed.
    """

    __tablename__ = "event_floors"

    epoch: Mapped[str] = mapped_column(String(40), primary_key=True)
    file: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    floor: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)


EVENT_HEAD: Final[TableClause] = table(
    "event_head",
    column("epoch", String()),
    column("position", BigInteger()),
    column("trimmed", BigInteger()),
)
"""The view of how far the log reaches: its last position is that of the last event, or the last one trimmed."""
