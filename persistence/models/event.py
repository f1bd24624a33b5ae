"""The event log and its head."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Identity,
    Index,
    MetaData,
    SmallInteger,
    String,
    TableClause,
    column,
    table,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from domain.events import EventKind, TaskChange
from domain.task import TaskStatus
from persistence.models.base import Base
from persistence.models.stored_enum import StoredEnum

RANDOM_48_BITS: Final = "((random() * '281474976710655'::double precision))::bigint"
"""A number from 0 to 2^48 - 1, in the form in which PostgreSQL stores the expression."""


class EventRow(Base):
    """One event. The INSERT draws `id` while the task's row is locked; `position` is assigned after the commit.

    The database draws `fingerprint`, a random number of 48 bits, also for events of versions that do not know it.
    """

    __tablename__ = "events"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    position: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    kind: Mapped[EventKind] = mapped_column(StoredEnum(EventKind, "kind"))
    task_id: Mapped[UUID | None]
    user_id: Mapped[UUID | None]
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    recorded_at: Mapped[datetime]
    fingerprint: Mapped[int | None] = mapped_column(BigInteger, server_default=text(RANDOM_48_BITS))

    __table_args__ = (
        Index("ix_events_unnumbered", "id", postgresql_where=(position.is_(None))),
        Index("ix_events_task_id_position", "task_id", "position"),
    )


class TaskHistoryRow(Base):
    """An event as the history of its task shows it. It is not a table: `persistence/queries/event.py` reads it."""

    __tablename__ = "task_history"
    metadata = MetaData()

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    user_id: Mapped[UUID | None]
    at: Mapped[datetime]
    changes: Mapped[list[TaskChange]] = mapped_column(ARRAY(StoredEnum(TaskChange, "changes")))
    from_: Mapped[TaskStatus | None] = mapped_column(StoredEnum(TaskStatus, "from_"))
    to: Mapped[TaskStatus] = mapped_column(StoredEnum(TaskStatus, "to"))
    version: Mapped[int]


class LogStateRow(Base):
    """The state of the log, in a single row; a process that numbers events holds its lock.

    `trimmed` is the last position that retention has removed. `boundary_fingerprint` is that of the event which was at
    the position `boundary`; it counts if this is the last position removed. From `system_id` to `table_id` it is the
    identity of the database that was seen last; null means unknown. `synchronous` tells whether its commits waited for
    a standby. `promoted` is the last position at which the epoch continued on a promoted standby; 0 means never.
    `cursor_format` is that of new stream cursors.

    Numbering does not update this row: each update leaves a dead row, which stays as long as a snapshot may see it.
    """

    __tablename__ = "log_state"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    trimmed: Mapped[int] = mapped_column(BigInteger)
    epoch: Mapped[str] = mapped_column(String(40))
    system_id: Mapped[int | None] = mapped_column(BigInteger)
    timeline: Mapped[int | None] = mapped_column(BigInteger)
    database_id: Mapped[int | None] = mapped_column(BigInteger)
    table_id: Mapped[int | None] = mapped_column(BigInteger)
    boundary: Mapped[int | None] = mapped_column(BigInteger)
    boundary_fingerprint: Mapped[int | None] = mapped_column(BigInteger)
    cursor_format: Mapped[int] = mapped_column(SmallInteger, server_default=text("1"))
    synchronous: Mapped[bool] = mapped_column(server_default=text("false"))
    promoted: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))

    __table_args__ = (
        CheckConstraint("id = 1", name="one_row"),
        CheckConstraint("cursor_format IN (1, 2)", name="cursor_format"),
    )


class EventFloorRow(Base):
    """A numbering floor: each event with a smaller id has a position, or was never committed. The greatest one counts.

    It is valid for its epoch and for the file of the table: in another file, ids may start at 1. Rows are inserted and
    never updated, so that the greatest is found quickly even if old rows cannot be removed.
    """

    __tablename__ = "event_floors"

    epoch: Mapped[str] = mapped_column(String(40), primary_key=True)
    file: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    floor: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)


EVENT_HEAD: Final[TableClause] = table(
    "event_head",
    column("cursor_epoch", String()),
    column("position", BigInteger()),
    column("trimmed", BigInteger()),
    column("cursor_fingerprint", BigInteger()),
)
"""The view of the head of the log: its position is that of the last event, or the last one trimmed.

`cursor_epoch` and `cursor_fingerprint` are those of new stream cursors. The fingerprint is null if it is unknown, or if
new cursors have format 1.
"""
