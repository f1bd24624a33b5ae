"""Adds the account to idempotency keys, so that the keys of an account can be counted.

Revision: 0004
"""

import sqlalchemy as sa
from alembic import op

from migrations.steps import lock_tables, outside_transaction

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

INDEX = "ix_idempotency_keys_actor_id_created_at"


def upgrade() -> None:
    # Null for existing keys, and for keys from processes of the previous release: these are not counted.
    lock_tables("ACCESS EXCLUSIVE", "idempotency_keys")
    op.add_column("idempotency_keys", sa.Column("actor_id", sa.Uuid(), nullable=True), if_not_exists=True)
    with outside_transaction():
        # The build blocks no one. An invalid index of an interrupted attempt is dropped first.
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}")
        op.create_index(
            INDEX,
            "idempotency_keys",
            ["actor_id", "created_at"],
            postgresql_where=sa.text("actor_id IS NOT NULL"),
            postgresql_concurrently=True,
        )


def downgrade() -> None:
    lock_tables("ACCESS EXCLUSIVE", "idempotency_keys")
    op.drop_index(INDEX, "idempotency_keys")
    op.drop_column("idempotency_keys", "actor_id")
