"""Adds kinds of users, users without a password, and tokens for one project.

Processes of the previous version insert users without the new columns, which have defaults. A token for one project
ends with the membership of its user, whichever process removes it.

Revision: 0019
"""

from alembic import op

from migrations.steps import create_index, lock_tables, outside_transaction, validate_constraint

revision = "0019"
down_revision = "0021"
branch_labels = None
depends_on = None

CONSTRAINTS = (
    ("users", "ck_users_kind", "CHECK (kind IN ('HUMAN', 'SERVICE'))"),
    (
        "access_tokens",
        "fk_access_tokens_user_id_project_id",
        "FOREIGN KEY (user_id, project_id) REFERENCES memberships (user_id, project_id) ON DELETE CASCADE",
    ),
)


def upgrade() -> None:
    # The strongest lock first. It stops all access to the tables, for changes of the catalog only: no row is read.
    lock_tables("ACCESS EXCLUSIVE", "memberships", "users", "access_tokens")
    op.execute(
        "ALTER TABLE users ADD COLUMN IF NOT EXISTS kind varchar(20) NOT NULL DEFAULT 'HUMAN',"
        " ADD COLUMN IF NOT EXISTS has_password boolean NOT NULL DEFAULT true,"
        " ADD COLUMN IF NOT EXISTS project_id uuid"
    )
    op.execute("ALTER TABLE access_tokens ADD COLUMN IF NOT EXISTS project_id uuid")
    for table, name, definition in CONSTRAINTS:
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}")
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition} NOT VALID")
    with outside_transaction():
        for table, name, _ in CONSTRAINTS:
            validate_constraint(table, name)
        create_index("ix_users_project_id", "ON users (project_id, created_at, id) WHERE project_id IS NOT NULL")
        create_index("ix_users_service", "ON users (created_at, id) WHERE kind = 'SERVICE'")
        create_index("ix_access_tokens_member", "ON access_tokens (user_id, project_id) WHERE project_id IS NOT NULL")


def downgrade() -> None:
    # A user who cannot sign in by password keeps a hash that no password has.
    lock_tables("ACCESS EXCLUSIVE", "memberships", "users", "access_tokens")
    op.execute("DELETE FROM access_tokens WHERE project_id IS NOT NULL")  # it would reach everything
    op.drop_column("access_tokens", "project_id")
    op.drop_column("users", "project_id")
    op.drop_column("users", "has_password")
    op.drop_column("users", "kind")
