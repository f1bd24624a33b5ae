"""Adds notes on tasks.

Revision: notes
"""

import sqlalchemy as sa
from alembic import op

from migrations.steps import allow_event_kinds, lock_tables

revision = "notes"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    allow_event_kinds("TASK", "ACCESS", "COMMENT", "NOTE")
    lock_tables("SHARE ROW EXCLUSIVE", "tasks", "users")
    op.create_table(
        "notes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.String(2_000), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_notes"),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name="fk_notes_task_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["author_id"], ["users.id"], name="fk_notes_author_id"),
    )
    op.create_index("ix_notes_task_id_id", "notes", ["task_id", "id"])


def downgrade() -> None:
    lock_tables("ACCESS EXCLUSIVE", "tasks", "users")
    op.drop_table("notes")
