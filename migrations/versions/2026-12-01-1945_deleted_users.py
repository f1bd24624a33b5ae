"""Adds the time at which a user was deleted, deletions that are not finished, and the names of deleted users.

Processes of the previous version see a deleted user as one who is disabled, with another name. The trigger keeps the
names of deleted users from being used again, whichever process creates a user. It runs after the insertion: by then the
unique index has waited for a deletion at the same time.

Revision: 0022
"""

import sqlalchemy as sa
from alembic import op

from migrations.steps import lock_tables

revision = "0022"
down_revision = "0020"
branch_labels = None
depends_on = None

REFUSE = """
CREATE OR REPLACE FUNCTION refuse_reserved_names() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM reserved_names
               WHERE name_hash = sha256(convert_to(lower(NEW.username COLLATE "C"), 'UTF8'))) THEN
        RAISE EXCEPTION 'the name of a deleted user is not used again'
            USING ERRCODE = 'unique_violation', TABLE = 'users', CONSTRAINT = 'uq_users_username_lower';
    END IF;
    RETURN NULL;
END
$$
"""


def upgrade() -> None:
    lock_tables("ACCESS EXCLUSIVE", "users")  # for a moment: a column without a default rewrites no rows
    op.add_column("users", sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "user_deletions",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("tasks_to", sa.Uuid(), nullable=True),
        sa.Column("deleted_by", sa.Uuid(), nullable=False),
        sa.Column(
            "started_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_user_deletions")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_user_deletions_user_id"), ondelete="CASCADE"),
    )
    op.create_table(
        "reserved_names",
        sa.Column("name_hash", sa.LargeBinary(32), nullable=False),
        sa.PrimaryKeyConstraint("name_hash", name=op.f("pk_reserved_names")),
    )
    op.execute(REFUSE)
    op.execute(
        "CREATE TRIGGER refuse_reserved_names AFTER INSERT ON users"
        " FOR EACH ROW EXECUTE FUNCTION refuse_reserved_names()"
    )


def downgrade() -> None:
    lock_tables("ACCESS EXCLUSIVE", "users")
    op.execute("DROP TRIGGER refuse_reserved_names ON users")
    op.execute("DROP FUNCTION refuse_reserved_names()")
    op.drop_table("reserved_names")
    op.drop_table("user_deletions")
    op.drop_column("users", "deleted_at")
