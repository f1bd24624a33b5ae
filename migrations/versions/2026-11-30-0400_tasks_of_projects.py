"""Lets tasks belong to projects. Existing tasks stay personal.

Revision: 0008
"""

import sqlalchemy as sa
from alembic import op

from migrations.steps import lock_tables, outside_transaction

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

IS_IN_PROJECT = "project_id IS NOT NULL"
# Name, columns, and whether it is unique.
INDEXES = (
    ("ix_tasks_project_id_created_at_id", "project_id, created_at, id", ""),
    ("uq_tasks_project_id_number", "project_id, number", "UNIQUE"),
)
CONSTRAINTS = (
    ("fk_tasks_project_id", "FOREIGN KEY (project_id) REFERENCES projects (id)"),
    ("ck_tasks_number", "CHECK ((project_id IS NULL) = (number IS NULL))"),
)


def upgrade() -> None:
    # The strongest lock first. It stops all access to the two tables, for changes of the catalog only: no row is read.
    lock_tables("ACCESS EXCLUSIVE", "projects", "tasks")
    op.execute("ALTER TABLE tasks ADD COLUMN IF NOT EXISTS project_id uuid, ADD COLUMN IF NOT EXISTS number integer")
    for name, definition in CONSTRAINTS:
        op.execute(f"ALTER TABLE tasks DROP CONSTRAINT IF EXISTS {name}")
        op.execute(f"ALTER TABLE tasks ADD CONSTRAINT {name} {definition} NOT VALID")
    op.execute("DROP TABLE IF EXISTS task_counters")
    op.create_table(
        "task_counters",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task_counters")),
        sa.ForeignKeyConstraint(["id"], ["projects.id"], name=op.f("fk_task_counters_id"), ondelete="CASCADE"),
    )
    with outside_transaction():
        # These read all rows, and block no reader and no writer.
        for name, _ in CONSTRAINTS:
            op.execute(f"ALTER TABLE tasks VALIDATE CONSTRAINT {name}")
        for name, columns, unique in INDEXES:
            # What an interrupted run leaves is not valid.
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE {unique} INDEX CONCURRENTLY {name} ON tasks ({columns}) WHERE {IS_IN_PROJECT}")


def downgrade() -> None:
    lock_tables("ACCESS EXCLUSIVE", "projects", "tasks")
    op.drop_table("task_counters")
    op.drop_column("tasks", "number")
    op.drop_column("tasks", "project_id")
