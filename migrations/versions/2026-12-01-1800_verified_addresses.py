"""Adds the time at which a user has shown that the e-mail address is theirs.

Processes of the previous version do not know the column, and create users without a verified address.

Revision: 0021
"""

import sqlalchemy as sa
from alembic import op

from migrations.steps import lock_tables

revision = "0021"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    lock_tables("ACCESS EXCLUSIVE", "users")  # for a moment: a column without a default rewrites no rows
    op.add_column("users", sa.Column("email_verified_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    lock_tables("ACCESS EXCLUSIVE", "users")
    op.drop_column("users", "email_verified_at")
