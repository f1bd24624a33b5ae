"""Lets tasks belong to projects. Existing tasks stay personal.

Revision: 0008
"""

import sqlalchemy as sa
from alembic import op

from migrations.steps import create_index, lock_tables, outside_transaction, validate_constraint

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

IN_PROJECTS = "WHERE project_id IS NOT NULL"
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
        for name, _ in CONSTRAINTS:
            validate_constraint("tasks", name)
        create_index("ix_tasks_project_id_created_at_id", f"ON tasks (project_id, created_at, id) {IN_PROJECTS}")
        create_index("uq_tasks_project_id_number", f"ON tasks (project_id, number) {IN_PROJECTS}", unique=True)


def downgrade() -> None:
    # Tasks of projects become personal tasks of the users who created them.
    lock_tables("ACCESS EXCLUSIVE", "projects", "tasks")
    op.drop_table("task_counters")
    op.drop_column("tasks", "number")
    op.drop_column("tasks", "project_id")
