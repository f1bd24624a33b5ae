"""Adds the table of idempotency keys, and the identity of the database to the event log.

Revision: 0002
"""

import sqlalchemy as sa
from alembic import op

from migrations.steps import lock_tables

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    lock_tables("ACCESS EXCLUSIVE", "event_head")
    op.create_table(
        "idempotency_keys",
        sa.Column("scope", sa.LargeBinary(32), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(32), nullable=False),
        sa.Column("object_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("scope", name="pk_idempotency_keys"),
    )
    op.create_index("ix_idempotency_keys_created_at", "idempotency_keys", ["created_at"])
    for column in ("system_id", "timeline", "database_id", "table_id"):
        op.add_column("event_head", sa.Column(column, sa.BigInteger(), nullable=True))


def downgrade() -> None:
    lock_tables("ACCESS EXCLUSIVE", "event_head", "idempotency_keys")
    for column in ("table_id", "database_id", "timeline", "system_id"):
        op.drop_column("event_head", column)
    op.drop_table("idempotency_keys")
