"""Adds codes with which programs sign in through a browser.

Revision: 0025
"""

import sqlalchemy as sa
from alembic import op

from migrations.steps import lock_tables

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A foreign key needs this lock on the table that it refers to; readers and writers of rows go on.
    lock_tables("SHARE ROW EXCLUSIVE", "sessions")
    op.create_table(
        "sign_in_codes",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("challenge", sa.String(length=43), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("client_name", sa.String(length=100), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_sign_in_codes")),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.id"], name=op.f("fk_sign_in_codes_session_id"), ondelete="CASCADE"
        ),
        sa.UniqueConstraint("code_hash", name=op.f("uq_sign_in_codes_code_hash")),
    )


def downgrade() -> None:
    lock_tables("ACCESS EXCLUSIVE", "sessions")
    op.drop_table("sign_in_codes")
