"""Adds comments on tasks, and counts them.

Revision: 0009
"""

import sqlalchemy as sa
from alembic import op

from migrations.steps import allow_event_kinds, lock_tables

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    allow_event_kinds("TASK", "ACCESS", "COMMENT")
    # A column with a constant default changes the catalog only: no row is written.
    lock_tables("ACCESS EXCLUSIVE", "tasks", "users")
    op.execute("ALTER TABLE tasks ADD COLUMN IF NOT EXISTS comment_count integer NOT NULL DEFAULT 0")
    op.create_table(
        "comments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comments")),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_comments_task_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["author_id"], ["users.id"], name=op.f("fk_comments_author_id")),
    )
    op.create_index("ix_comments_task_id_id", "comments", ["task_id", "id"])


def downgrade() -> None:
    lock_tables("ACCESS EXCLUSIVE", "tasks", "users")
    op.drop_table("comments")
    op.drop_column("tasks", "comment_count")
