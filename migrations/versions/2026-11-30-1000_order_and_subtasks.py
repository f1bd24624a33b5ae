"""Adds the manual order of a project's tasks, subtasks, and the earlier keys of moved tasks.

Revision: 0011
"""

import sqlalchemy as sa
from alembic import op

from migrations.steps import (
    allow_event_kinds,
    create_index,
    in_batches,
    lock_tables,
    outside_transaction,
    validate_constraint,
)

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

IN_PROJECTS = "WHERE project_id IS NOT NULL"
BASE, WIDTH = 62, 8
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
NUMBER = f"({BASE**WIDTH // 2} + tasks.number)"
RANK = " || ".join(
    f"substr('{DIGITS}', (({NUMBER} / {BASE**place}) % {BASE})::integer + 1, 1)" for place in reversed(range(WIDTH))
)
"""The rank of a whole number, as `domain.rank` writes it: the first order is that of the numbers."""
RANK_TASKS = f"""
WITH next AS (
    SELECT id FROM tasks WHERE id > :after AND project_id IS NOT NULL AND rank IS NULL
    ORDER BY id LIMIT :rows FOR NO KEY UPDATE {{wait}}
), ranked AS (
    UPDATE tasks SET rank = {RANK} FROM next WHERE tasks.id = next.id RETURNING tasks.id
)
SELECT id FROM ranked ORDER BY id DESC LIMIT 1
"""  # noqa: S608 - constants of this module
PARENT = ("fk_tasks_parent_id", "FOREIGN KEY (parent_id) REFERENCES tasks (id) ON DELETE SET NULL")
RANKED = ("ck_tasks_rank", "CHECK ((project_id IS NULL) = (rank IS NULL))")


def upgrade() -> None:
    allow_event_kinds("TASK", "ACCESS", "COMMENT", "PROJECT")
    _expand()
    in_batches(RANK_TASKS)
    lock_tables("ACCESS EXCLUSIVE", "tasks")
    _add_constraint(*RANKED)
    with outside_transaction():
        for name, _ in (PARENT, RANKED):
            validate_constraint("tasks", name)
        create_index("ix_tasks_project_id_rank_id", f"ON tasks (project_id, rank, id) {IN_PROJECTS}")
        create_index("ix_tasks_project_id_status_rank_id", f"ON tasks (project_id, status, rank, id) {IN_PROJECTS}")
        create_index("ix_tasks_parent_id_rank", "ON tasks (parent_id, rank) WHERE parent_id IS NOT NULL")


def _expand() -> None:
    # The strongest lock first. It stops all access to these tables, for changes of the catalog only: no row of a task
    # is read or written.
    lock_tables("ACCESS EXCLUSIVE", "projects", "task_counters", "tasks")
    op.execute(
        'ALTER TABLE tasks ADD COLUMN IF NOT EXISTS rank varchar(32) COLLATE "C",'
        " ADD COLUMN IF NOT EXISTS parent_id uuid,"
        " ADD COLUMN IF NOT EXISTS subtask_count integer NOT NULL DEFAULT 0,"
        " ADD COLUMN IF NOT EXISTS done_subtask_count integer NOT NULL DEFAULT 0"
    )
    _add_constraint(*PARENT)
    op.execute("ALTER TABLE task_counters ADD COLUMN IF NOT EXISTS last_rank bigint NOT NULL DEFAULT 0")
    op.execute("DROP TABLE IF EXISTS task_keys")  # of an interrupted attempt
    op.create_table(
        "task_keys",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "number", name=op.f("pk_task_keys")),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_task_keys_project_id"), ondelete="CASCADE"
        ),
    )
    op.create_index("ix_task_keys_task_id", "task_keys", ["task_id"])


def _add_constraint(name: str, definition: str) -> None:
    op.execute(f"ALTER TABLE tasks DROP CONSTRAINT IF EXISTS {name}")
    op.execute(f"ALTER TABLE tasks ADD CONSTRAINT {name} {definition} NOT VALID")


def downgrade() -> None:
    lock_tables("ACCESS EXCLUSIVE", "projects", "task_counters", "tasks")
    op.drop_table("task_keys")
    op.drop_column("task_counters", "last_rank")
    op.execute(
        "ALTER TABLE tasks DROP COLUMN rank, DROP COLUMN parent_id, DROP COLUMN subtask_count,"
        " DROP COLUMN done_subtask_count"
    )
