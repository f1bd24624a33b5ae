"""Adds projects, their keys, and their members.

Revision: 0007
"""

import sqlalchemy as sa
from alembic import op

from migrations.steps import lock_tables

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The foreign key to users needs a lock that stops their writers, for the catalog only: no row is checked.
    lock_tables("SHARE ROW EXCLUSIVE", "users")
    op.create_table(
        "projects",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(10), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("is_archived", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_projects")),
        sa.UniqueConstraint("key", name=op.f("uq_projects_key")),
    )
    op.create_table(
        "project_keys",
        sa.Column("key", sa.String(10), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_project_keys")),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_project_keys_project_id"), ondelete="CASCADE"
        ),
    )
    op.create_index(op.f("ix_project_keys_project_id"), "project_keys", ["project_id"])
    op.create_table(
        "memberships",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_memberships")),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_memberships_project_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_memberships_user_id")),
        sa.CheckConstraint("role IN ('VIEWER', 'MEMBER', 'MANAGER')", name=op.f("ck_memberships_role")),
    )
    op.create_index("ix_memberships_project_id_number", "memberships", ["project_id", "number"])
    op.create_index("uq_memberships_user_id_project_id", "memberships", ["user_id", "project_id"], unique=True)


def downgrade() -> None:
    lock_tables("ACCESS EXCLUSIVE", "users")
    for table in ("memberships", "project_keys", "projects"):
        op.drop_table(table)
