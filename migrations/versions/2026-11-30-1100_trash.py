"""Adds the trash: deleted tasks that can be restored, with their comments.

Revision: 0012
"""

import sqlalchemy as sa
from alembic import op

from migrations.steps import lock_tables

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

DELETE_REST = """
CREATE OR REPLACE FUNCTION delete_rest_of_tasks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM comments USING old_rows
    WHERE comments.task_id = old_rows.id AND old_rows.comment_count > 0
      AND NOT EXISTS (SELECT FROM tasks WHERE tasks.id = old_rows.id)
      AND NOT EXISTS (SELECT FROM trash WHERE trash.id = old_rows.id);
    DELETE FROM task_keys USING old_rows
    WHERE task_keys.task_id = old_rows.id
      AND NOT EXISTS (SELECT FROM tasks WHERE tasks.id = old_rows.id)
      AND NOT EXISTS (SELECT FROM trash WHERE trash.id = old_rows.id);
    RETURN NULL;
END
$$
"""
"""A task that is put into the trash or restored is deleted from one table and inserted into the other by one statement.

The trigger is executed after that statement.
"""
TABLES = ("tasks", "trash")
KEEP_IDS = """
CREATE OR REPLACE FUNCTION keep_ids_of_deleted_tasks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM new_rows JOIN trash USING (id)) THEN
        RAISE EXCEPTION 'a deleted task has this id'
            USING ERRCODE = 'unique_violation', CONSTRAINT = 'pk_tasks', TABLE = 'tasks';
    END IF;
    RETURN NULL;
END
$$
"""
"""An id is in one of the two tables only: otherwise a new task would have the comments of a deleted one."""


def upgrade() -> None:
    # The strongest lock first, for changes of the catalog only: no row is read or written.
    lock_tables("ACCESS EXCLUSIVE", "projects", "tasks", "comments", "users")
    op.create_table(
        "trash",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True)),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("assignee_id", sa.Uuid()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True)),
        sa.Column("project_id", sa.Uuid()),
        sa.Column("number", sa.Integer()),
        sa.Column("comment_count", sa.Integer(), nullable=False),
        sa.Column("label_ids", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("rank", sa.String(32, collation="C")),
        sa.Column("parent_id", sa.Uuid()),
        sa.Column("subtask_count", sa.Integer(), nullable=False),
        sa.Column("done_subtask_count", sa.Integer(), nullable=False),
        sa.Column("root_id", sa.Uuid(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_by", sa.Uuid(), nullable=False),
        sa.Column("place", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trash")),
        sa.CheckConstraint("status IN ('TODO', 'IN_PROGRESS', 'DONE', 'CANCELLED')", name=op.f("ck_trash_status")),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_trash_owner_id")),
        sa.ForeignKeyConstraint(["assignee_id"], ["users.id"], name=op.f("fk_trash_assignee_id")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_trash_project_id"), ondelete="CASCADE"),
    )
    op.create_index("ix_trash_root_id", "trash", ["root_id"])
    op.create_index("ix_trash_deleted_at", "trash", ["deleted_at"])
    op.create_index("ix_trash_project_id_place", "trash", ["project_id", "place"])
    op.create_index(
        "ix_trash_owner_id_place", "trash", ["owner_id", "place"], postgresql_where=sa.text("project_id IS NULL")
    )
    op.execute("ALTER TABLE comments DROP CONSTRAINT IF EXISTS fk_comments_task_id")
    op.execute(DELETE_REST)
    for table in TABLES:
        op.execute(
            f"CREATE TRIGGER delete_rest_of_tasks AFTER DELETE ON {table} REFERENCING OLD TABLE AS old_rows"
            " FOR EACH STATEMENT EXECUTE FUNCTION delete_rest_of_tasks()"
        )
    op.execute(KEEP_IDS)
    op.execute(
        "CREATE TRIGGER keep_ids_of_deleted_tasks AFTER INSERT ON tasks REFERENCING NEW TABLE AS new_rows"
        " FOR EACH STATEMENT EXECUTE FUNCTION keep_ids_of_deleted_tasks()"
    )


def downgrade() -> None:
    # Deleted tasks cannot be restored any more.
    lock_tables("ACCESS EXCLUSIVE", "projects", "tasks", "comments", "users")
    op.execute("DELETE FROM comments WHERE task_id IN (SELECT id FROM trash)")
    op.execute("DELETE FROM task_keys WHERE task_id IN (SELECT id FROM trash)")
    op.drop_table("trash")
    op.execute("DROP TRIGGER keep_ids_of_deleted_tasks ON tasks")
    op.execute("DROP FUNCTION keep_ids_of_deleted_tasks()")
    op.execute("DROP TRIGGER delete_rest_of_tasks ON tasks")
    op.execute("DROP FUNCTION delete_rest_of_tasks()")
    op.execute(
        "ALTER TABLE comments ADD CONSTRAINT fk_comments_task_id FOREIGN KEY (task_id) REFERENCES tasks (id)"
        " ON DELETE CASCADE"
    )
