"""Adds the trusted documents of clients.

Revision: 0016
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("DROP TABLE IF EXISTS trusted_documents")  # of an interrupted attempt
    op.create_table(
        "trusted_documents",
        sa.Column("id", sa.String(256, collation="C"), nullable=False),
        sa.Column("client", sa.String(50, collation="C"), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("serial", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", "client", name=op.f("pk_trusted_documents")),
        sa.UniqueConstraint("serial", name=op.f("uq_trusted_documents_serial")),
    )


def downgrade() -> None:
    op.drop_table("trusted_documents")
