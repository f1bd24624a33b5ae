"""Adds labels of projects, and the labels of tasks.

Revision: 0010
"""

import sqlalchemy as sa
from alembic import op

from migrations.steps import create_index, lock_tables, outside_transaction

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A column with a constant default changes the catalog only: no row is written.
    lock_tables("ACCESS EXCLUSIVE", "projects", "tasks")
    op.execute("ALTER TABLE tasks ADD COLUMN IF NOT EXISTS label_ids uuid[] NOT NULL DEFAULT '{}'::uuid[]")
    op.execute("DROP TABLE IF EXISTS labels")  # of an interrupted attempt
    op.create_table(
        "labels",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("folded_name", sa.String(120, collation="C"), nullable=False),
        sa.Column("color", sa.String(7), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_labels")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_labels_project_id"), ondelete="CASCADE"),
    )
    op.create_index("uq_labels_project_id_folded_name", "labels", ["project_id", "folded_name"], unique=True)
    with outside_transaction():
        create_index("ix_tasks_label_ids", "ON tasks USING gin (label_ids) WHERE label_ids <> '{}'::uuid[]")


def downgrade() -> None:
    lock_tables("ACCESS EXCLUSIVE", "projects", "tasks")
    op.drop_table("labels")
    op.drop_column("tasks", "label_ids")
