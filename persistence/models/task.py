"""The table of tasks, with an index for every order of a list, and the numbers that tasks of projects get."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    MetaData,
    SmallInteger,
    String,
    Text,
    Uuid,
    text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from domain.project import ProjectRole
from domain.rank import LONG
from domain.task import MAX_TITLE, TaskPriority, TaskStatus
from domain.unknown_values import UnknownValue
from persistence.models.base import Base, new_id
from persistence.models.stored_enum import StoredEnum


class Priority(TypeDecorator[TaskPriority]):
    """A priority, stored as its number so that ORDER BY sorts by urgency."""

    impl = SmallInteger
    cache_ok = True

    def process_bind_param(self, value: TaskPriority | None, dialect: Dialect) -> int | None:
        return None if value is None else int(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> TaskPriority | None:
        try:
            return None if value is None else TaskPriority(value)
        except ValueError:
            raise UnknownValue("priority", value) from None


class TaskRow(Base):
    """A task. `version` counts its changes; each change has an event.

    A task of a project has a `number`, which no other task of the project has or had. A personal task has neither.
    `comment_count` is the number of its comments, which changes without a new version. `label_ids` are sorted, and
    may have the id of a label that was deleted since. `rank` is the place of a project's task in its manual order; a
    personal task has none. `parent_id` is the task of which it is a subtask. `subtask_count` is the number of its
    subtasks, and `done_subtask_count` of those that are DONE; both change without a new version.
    """

    __tablename__ = "tasks"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    title: Mapped[str] = mapped_column(String(MAX_TITLE))
    description: Mapped[str] = mapped_column(Text)
    status: Mapped[TaskStatus] = mapped_column(StoredEnum(TaskStatus, "status"))
    priority: Mapped[TaskPriority] = mapped_column(Priority)
    due_at: Mapped[datetime | None]
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    assignee_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]
    project_id: Mapped[UUID | None] = mapped_column(ForeignKey("projects.id"))
    number: Mapped[int | None]
    comment_count: Mapped[int] = mapped_column(server_default=text("0"))
    label_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()), server_default=text("'{}'::uuid[]"))
    rank: Mapped[str | None] = mapped_column(String(LONG, collation="C"))
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("tasks.id", ondelete="SET NULL"))
    subtask_count: Mapped[int] = mapped_column(server_default=text("0"))
    done_subtask_count: Mapped[int] = mapped_column(server_default=text("0"))

    __table_args__ = (
        CheckConstraint("(project_id IS NULL) = (number IS NULL)", name="number"),
        CheckConstraint("(project_id IS NULL) = (rank IS NULL)", name="rank"),
        CheckConstraint("priority BETWEEN 1 AND 4", name="priority"),
        Index("ix_tasks_created_at_id", "created_at", "id"),
        Index("ix_tasks_updated_at_id", "updated_at", "id"),
        Index("ix_tasks_priority_id", "priority", "id"),
        Index("ix_tasks_status_created_at_id", "status", "created_at", "id"),
        Index("ix_tasks_owner_id_created_at_id", "owner_id", "created_at", "id"),
        Index("ix_tasks_assignee_id_created_at_id", "assignee_id", "created_at", "id"),
        # Lists of personal tasks do not read past the tasks of projects that a user has created or is working on.
        Index(
            "ix_tasks_owner_id_created_at_id_personal",
            "owner_id",
            "created_at",
            "id",
            postgresql_where=text("project_id IS NULL"),
        ),
        Index(
            "ix_tasks_assignee_id_created_at_id_of_others",
            "assignee_id",
            "created_at",
            "id",
            postgresql_where=text("project_id IS NULL AND owner_id <> assignee_id"),
        ),
        # Tasks without a due date come last in both directions, so each direction has its own index.
        Index(
            "ix_tasks_due_first",
            text("coalesce(due_at, 'infinity'::timestamptz)"),
            "id",
        ),
        Index(
            "ix_tasks_due_last",
            text("coalesce(due_at, '-infinity'::timestamptz)"),
            "id",
        ),
        # Personal tasks are in neither of these indexes, so that projects do not make their changes slower.
        Index(
            "ix_tasks_project_id_created_at_id",
            "project_id",
            "created_at",
            "id",
            postgresql_where=text("project_id IS NOT NULL"),
        ),
        Index(
            "uq_tasks_project_id_number",
            "project_id",
            "number",
            unique=True,
            postgresql_where=text("project_id IS NOT NULL"),
        ),
        Index(
            "ix_tasks_project_id_rank_id",
            "project_id",
            "rank",
            "id",
            postgresql_where=text("project_id IS NOT NULL"),
        ),
        Index(
            "ix_tasks_project_id_status_rank_id",
            "project_id",
            "status",
            "rank",
            "id",
            postgresql_where=text("project_id IS NOT NULL"),
        ),
        Index("ix_tasks_parent_id_rank", "parent_id", "rank", postgresql_where=text("parent_id IS NOT NULL")),
        Index(
            "ix_tasks_label_ids",
            "label_ids",
            postgresql_using="gin",
            postgresql_where=text("label_ids <> '{}'::uuid[]"),
        ),
    )


class TaskCounterRow(Base):
    """The last number that a task of a project got, and the greatest whole number of a rank.

    The id is that of the project. Its first task makes the row. A change of the order of the project locks it.
    """

    __tablename__ = "task_counters"

    id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    last: Mapped[int]
    last_rank: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))


class TaskKeyRow(Base):
    """A number that a task had in a project before it was moved, so that its old key leads to it."""

    __tablename__ = "task_keys"

    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    task_id: Mapped[UUID] = mapped_column(index=True)


class VisibleTaskRow(Base):
    """A task as a user sees it. It is not a table: `persistence/queries/task.py` reads it.

    The key of the task's project, whether that project is archived, and the user's role in it; a personal task has none
    of these, and a user who is not a member has no role.
    """

    __tablename__ = "visible_tasks"
    metadata = MetaData()

    id: Mapped[UUID] = mapped_column(primary_key=True)
    title: Mapped[str]
    description: Mapped[str]
    status: Mapped[TaskStatus] = mapped_column(StoredEnum(TaskStatus, "status"))
    priority: Mapped[TaskPriority] = mapped_column(Priority)
    due_at: Mapped[datetime | None]
    owner_id: Mapped[UUID]
    assignee_id: Mapped[UUID | None]
    version: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]
    project_id: Mapped[UUID | None]
    number: Mapped[int | None]
    comment_count: Mapped[int]
    label_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()))
    rank: Mapped[str | None]
    parent_id: Mapped[UUID | None]
    subtask_count: Mapped[int]
    done_subtask_count: Mapped[int]
    project_key: Mapped[str | None]
    project_is_archived: Mapped[bool | None]
    viewer_role: Mapped[ProjectRole | None] = mapped_column(StoredEnum(ProjectRole, "viewer_role"))
