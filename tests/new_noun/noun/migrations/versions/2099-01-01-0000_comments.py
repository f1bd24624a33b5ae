"""Adds comments on tasks.

Revision: comments
"""

import sqlalchemy as sa
from alembic import op

from migrations.steps import allow_event_kinds, lock_tables

revision = "comments"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    allow_event_kinds("TASK", "ACCESS", "COMMENT")
    lock_tables("SHARE ROW EXCLUSIVE", "tasks", "users")
    op.create_table(
        "comments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.String(2_000), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_comments"),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name="fk_comments_task_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["author_id"], ["users.id"], name="fk_comments_author_id"),
    )
    op.create_index("ix_comments_task_id_id", "comments", ["task_id", "id"])


def downgrade() -> None:
    lock_tables("ACCESS EXCLUSIVE", "tasks", "users")
    op.drop_table("comments")
