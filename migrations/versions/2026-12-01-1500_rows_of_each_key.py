"""Lets lists of users, projects and tasks with many rows follow an index.

PostgreSQL plans a statement once for all values. If most users have a few tasks, it expects a few for everyone, reads
all tasks of a user, and sorts them. With other statistics it follows the index of the list, which suits users with few
tasks as well. A new index has the personal tasks that are assigned to others than their owner, so that a list does not
read past the tasks that users assign to themselves. Processes of the previous version use a wider index.

Revision: 0018
"""

from alembic import op

from migrations.steps import create_index, lock_tables, outside_transaction

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

COLUMNS = {
    "tasks": ("owner_id", "assignee_id"),
    "trash": ("owner_id", "project_id"),
    "comments": ("task_id",),
    "events": ("task_id",),
}
"""The columns whose indexes have the order of a list."""
SHARE = -0.001
"""The number of different values as a share of the rows, so that each value has a thousand."""
BEFORE = "ix_tasks_assignee_id_created_at_id_personal"
NOW = "ix_tasks_assignee_id_created_at_id_of_others"


def upgrade() -> None:
    lock_tables("SHARE UPDATE EXCLUSIVE", *COLUMNS)  # which blocks neither readers nor writers
    for table, columns in COLUMNS.items():
        for column in columns:
            op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET (n_distinct = {SHARE})")
    with outside_transaction():
        create_index(NOW, "ON tasks (assignee_id, created_at, id) WHERE project_id IS NULL AND owner_id <> assignee_id")
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {BEFORE}")
        for table in COLUMNS:
            op.execute(f"ANALYZE {table}")


def downgrade() -> None:
    lock_tables("ACCESS EXCLUSIVE", *COLUMNS)
    op.execute(
        f"CREATE INDEX {BEFORE} ON tasks (assignee_id, created_at, id)"
        " WHERE project_id IS NULL AND assignee_id IS NOT NULL"
    )
    op.drop_index(NOW)
    for table, columns in COLUMNS.items():
        for column in columns:
            op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} RESET (n_distinct)")
