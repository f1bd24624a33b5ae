"""Adds indexes for lists of personal tasks, and for the search in a project.

Revision: 0013
"""

from alembic import op

from migrations.steps import create_index, in_batches, lock_tables, outside_transaction

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

SEARCH_KEYS = """
CREATE OR REPLACE FUNCTION search_keys(project_id uuid, VARIADIC texts text[]) RETURNS bigint[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20000
RETURN (
    SELECT array_agg(DISTINCT hashtextextended(parts.part, uuid_hash_extended(project_id, 0)))
    FROM unnest(texts) AS given (content), LATERAL (
        SELECT letter || lead(letter) OVER places || lead(letter, 2) OVER places AS part
        FROM string_to_table(lower(given.content), NULL) WITH ORDINALITY AS letters (letter, place)
        WINDOW places AS (ORDER BY place)
    ) AS parts
    WHERE parts.part IS NOT NULL
)
"""
"""One key for each three characters that follow each other in a text.

With this cost, PostgreSQL uses the index also in a small table, and does not calculate the keys of its rows.
"""
KEEP_NEW = """
CREATE OR REPLACE FUNCTION keep_new_task_texts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO task_texts (task_id, title, description{column}) SELECT id, title, description{column} FROM new_tasks;
    RETURN NULL;
END
$$
"""
KEEP_CHANGED = """
CREATE OR REPLACE FUNCTION keep_changed_task_text() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE task_texts SET title = NEW.title, description = NEW.description{value} WHERE task_id = NEW.id;
    RETURN NULL;
END
$$
"""
ON_CHANGED = """
CREATE OR REPLACE TRIGGER keep_changed_text AFTER UPDATE OF title, description{column} ON tasks
FOR EACH ROW EXECUTE FUNCTION keep_changed_task_text()
"""
# A task that is moved to another project waits while its row is processed; then the trigger updates the text.
COPY_PROJECTS = """
WITH batch AS (
    SELECT id, project_id FROM tasks
    WHERE id > CAST(:after AS uuid) AND project_id IS NOT NULL
      AND EXISTS (SELECT FROM task_texts WHERE task_id = tasks.id AND project_id IS DISTINCT FROM tasks.project_id)
    ORDER BY id LIMIT :rows
    FOR SHARE OF tasks {wait}
), copied AS (
    UPDATE task_texts SET project_id = batch.project_id FROM batch WHERE task_id = batch.id
)
SELECT id FROM batch ORDER BY id DESC LIMIT 1
"""
INDEXES = {
    "ix_tasks_owner_id_created_at_id_personal": "ON tasks (owner_id, created_at, id) WHERE project_id IS NULL",
    "ix_tasks_assignee_id_created_at_id_personal": (
        "ON tasks (assignee_id, created_at, id) WHERE project_id IS NULL AND assignee_id IS NOT NULL"
    ),
    "ix_task_texts_search_keys": (
        "ON task_texts USING gin (search_keys(project_id, title, description)) WHERE project_id IS NOT NULL"
    ),
}


def upgrade() -> None:
    _expand()
    in_batches(COPY_PROJECTS)
    with outside_transaction():
        for name, definition in INDEXES.items():
            create_index(name, definition)
        # Statistics of the keys would take seconds of each ANALYZE, and no plan depends on them.
        op.execute("ALTER INDEX ix_task_texts_search_keys ALTER COLUMN 1 SET STATISTICS 0")


def _expand() -> None:
    # The strongest lock first, for changes of the catalog only: no row is read or written.
    lock_tables("ACCESS EXCLUSIVE", "tasks", "task_texts")
    op.execute("ALTER TABLE task_texts ADD COLUMN IF NOT EXISTS project_id uuid")
    op.execute(SEARCH_KEYS)
    _keep(column=", project_id", value=", project_id = NEW.project_id")


def _keep(*, column: str, value: str) -> None:
    op.execute(KEEP_NEW.format(column=column))
    op.execute(KEEP_CHANGED.format(value=value))
    op.execute(ON_CHANGED.format(column=column))


def downgrade() -> None:
    lock_tables("ACCESS EXCLUSIVE", "tasks", "task_texts")
    for name in INDEXES:
        op.drop_index(name)
    _keep(column="", value="")
    op.execute("DROP FUNCTION search_keys")
    op.drop_column("task_texts", "project_id")
