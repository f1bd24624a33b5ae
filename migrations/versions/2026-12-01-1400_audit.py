"""Adds the audit log. Its entries cannot be changed; those that count equal events can only count more of them.

Revision: 0017
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

REFUSE = """
CREATE OR REPLACE FUNCTION refuse_changes_of_audit_entries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_jsonb(NEW) - 'times' - 'last_at' = to_jsonb(OLD) - 'times' - 'last_at'
       AND NEW.times > OLD.times AND NEW.last_at >= OLD.last_at THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'entries of the audit log cannot be changed'
        USING ERRCODE = 'integrity_constraint_violation', TABLE = 'audit_entries';
END
$$
"""


def upgrade() -> None:
    op.create_table(
        "audit_entries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True)),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("actor_id", sa.Uuid()),
        sa.Column("actor_name", sa.String(100)),
        sa.Column("ip_address", sa.String(45)),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("subject_kind", sa.String(40)),
        sa.Column("subject_id", sa.Uuid()),
        sa.Column("subject_name", sa.String(100)),
        sa.Column("details", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entries")),
    )
    op.create_index("ix_audit_entries_at_id", "audit_entries", ["at", "id"])
    op.create_index("ix_audit_entries_actor_id_at_id", "audit_entries", ["actor_id", "at", "id"])
    op.create_index("ix_audit_entries_action_at_id", "audit_entries", ["action", "at", "id"])
    op.execute(REFUSE)
    op.execute(
        "CREATE TRIGGER refuse_changes_of_audit_entries BEFORE UPDATE ON audit_entries"
        " FOR EACH ROW EXECUTE FUNCTION refuse_changes_of_audit_entries()"
    )


def downgrade() -> None:
    op.drop_table("audit_entries")
    op.execute("DROP FUNCTION refuse_changes_of_audit_entries()")
