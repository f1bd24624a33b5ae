"""Adds identities at OpenID Connect providers, what may be used only once, and where sessions and memberships are from.

Processes of the previous version write none of it: their sessions are not from a provider, and their memberships are
given by hand.

Revision: 0020
"""

import sqlalchemy as sa
from alembic import op

from migrations.steps import create_index, lock_tables, outside_transaction

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

SESSION_COLUMNS = {"provider": 20, "provider_subject": 255, "provider_session": 255}
INDEXES = {
    f"ix_sessions_{name}": f"ON sessions ({name}, provider) WHERE {name} IS NOT NULL"
    for name in ("provider_subject", "provider_session")
}


def upgrade() -> None:
    # Columns without a default are added at once, whatever the size of the table.
    lock_tables("ACCESS EXCLUSIVE", "memberships", "sessions")
    op.execute("ALTER TABLE memberships ADD COLUMN IF NOT EXISTS provider varchar(20)")
    for name, length in SESSION_COLUMNS.items():
        op.execute(f"ALTER TABLE sessions ADD COLUMN IF NOT EXISTS {name} varchar({length})")
    with outside_transaction():
        for name, definition in INDEXES.items():
            create_index(name, definition)
    # A foreign key needs this lock on the table that it refers to; readers and writers of rows go on.
    lock_tables("SHARE ROW EXCLUSIVE", "users")
    op.create_table(
        "identities",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.String(length=20), nullable=False),
        sa.Column("issuer", sa.String(length=255), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("account_name", sa.String(length=254), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identities")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_identities_user_id"), ondelete="CASCADE"),
    )
    op.create_index("uq_identities_issuer_subject", "identities", ["issuer", "subject"], unique=True)
    op.create_index(op.f("ix_identities_user_id"), "identities", ["user_id"])
    op.create_table(
        "single_uses",
        sa.Column("use_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("use_hash", name=op.f("pk_single_uses")),
    )
    op.create_index(op.f("ix_single_uses_expires_at"), "single_uses", ["expires_at"])


def downgrade() -> None:
    lock_tables("ACCESS EXCLUSIVE", "memberships", "sessions", "users")
    op.drop_table("single_uses")
    op.drop_table("identities")
    for name in INDEXES:
        op.drop_index(name)
    for name in SESSION_COLUMNS:
        op.drop_column("sessions", name)
    op.drop_column("memberships", "provider")
