"""Moves the search indexes to a separate table, so that a change of status does not write the trigrams again.

Revision: 0003
"""

import sqlalchemy as sa
from alembic import op

from migrations.steps import in_batches, lock_tables

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

COLUMNS = ("title", "description")

KEEP_NEW = """
CREATE OR REPLACE FUNCTION keep_new_task_texts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO task_texts (task_id, title, description) SELECT id, title, description FROM new_tasks;
    RETURN NULL;
END
$$
"""
KEEP_CHANGED = """
CREATE OR REPLACE FUNCTION keep_changed_task_text() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE task_texts SET title = NEW.title, description = NEW.description WHERE task_id = NEW.id;
    RETURN NULL;
END
$$
"""
ON_NEW = """
CREATE OR REPLACE TRIGGER keep_new_texts AFTER INSERT ON tasks REFERENCING NEW TABLE AS new_tasks
FOR EACH STATEMENT EXECUTE FUNCTION keep_new_task_texts()
"""
ON_CHANGED = """
CREATE OR REPLACE TRIGGER keep_changed_text AFTER UPDATE OF title, description ON tasks
FOR EACH ROW EXECUTE FUNCTION keep_changed_task_text()
"""


# A change of a text waits while the text is copied; then the trigger updates the copy.
COPY = """
WITH batch AS (
    SELECT id, title, description FROM tasks
    WHERE id > CAST(:after AS uuid) AND NOT EXISTS (SELECT FROM task_texts WHERE task_id = tasks.id)
    ORDER BY id LIMIT :rows
    FOR SHARE OF tasks {wait}
), copied AS (
    INSERT INTO task_texts (task_id, title, description) SELECT id, title, description FROM batch
)
SELECT id FROM batch ORDER BY id DESC LIMIT 1
"""


def upgrade() -> None:
    _expand()
    in_batches(COPY)
    _contract()


def _expand() -> None:
    """Create the new table beside the old indexes; from now on the triggers fill it."""
    lock_tables("SHARE ROW EXCLUSIVE", "tasks")
    op.create_table(
        "task_texts",
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("task_id", name="pk_task_texts"),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name="fk_task_texts_task_id", ondelete="CASCADE"),
        if_not_exists=True,
    )
    for column in COLUMNS:
        # The indexes are created while the table is empty. Later, the build would block writers, or wait for snapshots.
        _index_trigrams("task_texts", column)
    for statement in (KEEP_NEW, KEEP_CHANGED, ON_NEW, ON_CHANGED):
        op.execute(statement)


def _contract() -> None:
    lock_tables("ACCESS EXCLUSIVE", "tasks")
    for column in COLUMNS:
        op.drop_index(f"ix_tasks_{column}_trgm", "tasks", if_exists=True)


def downgrade() -> None:
    lock_tables("ACCESS EXCLUSIVE", "tasks", "task_texts")
    for column in COLUMNS:
        _index_trigrams("tasks", column)
    op.execute("DROP TRIGGER keep_new_texts ON tasks")
    op.execute("DROP TRIGGER keep_changed_text ON tasks")
    op.drop_table("task_texts")
    op.execute("DROP FUNCTION keep_new_task_texts()")
    op.execute("DROP FUNCTION keep_changed_task_text()")


def _index_trigrams(table: str, column: str) -> None:
    op.create_index(
        f"ix_{table}_{column}_trgm",
        table,
        [column],
        postgresql_using="gin",
        postgresql_ops={column: "gin_trgm_ops"},
        if_not_exists=True,
    )
