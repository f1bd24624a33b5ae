"""Remembers whether commits wait for a standby, and where a promoted standby continued the epoch.

With the defaults, a promotion starts a new epoch, as before. Processes of the previous version ignore both columns, and
start a new epoch at each promotion that they see first.

Revision: 0014
"""

import sqlalchemy as sa
from alembic import op

from migrations.steps import lock_tables

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

FINGERPRINT = """
CASE WHEN s.cursor_format = 2 THEN nullif(coalesce(
    (SELECT coalesce(e.fingerprint, -1) FROM events AS e WHERE e.position > s.trimmed
     ORDER BY e.position DESC LIMIT 1),
    CASE WHEN s.boundary = s.trimmed THEN s.boundary_fingerprint END
), -1) END
"""
HEAD_BEFORE = f"""SELECT s.id,
       greatest(s.trimmed, (SELECT e.position FROM events AS e WHERE e.position > s.trimmed
                            ORDER BY e.position DESC LIMIT 1)) AS position,
       s.trimmed, s.epoch, s.system_id, s.timeline, s.database_id, s.table_id, s.tableoid AS tableoid,
       s.cursor_format, {FINGERPRINT} AS cursor_fingerprint
"""  # noqa: S608 - constants
# A cursor without a fingerprint cannot show that a promoted standby has its event: its epoch names the promotion. The
# new column is the last one, so that the view can be replaced while processes of the previous version read it.
HEAD = f"""{HEAD_BEFORE},
       CASE WHEN s.promoted > 0 AND {FINGERPRINT} IS NULL THEN s.epoch || '@' || s.promoted ELSE s.epoch END
           AS cursor_epoch
"""


def upgrade() -> None:
    # For the catalog only: no row is written or checked.
    lock_tables("ACCESS EXCLUSIVE", "event_head", "log_state")
    op.add_column("log_state", sa.Column("synchronous", sa.Boolean(), nullable=False, server_default=sa.text("false")))
    op.add_column("log_state", sa.Column("promoted", sa.BigInteger(), nullable=False, server_default=sa.text("0")))
    op.execute(f"CREATE OR REPLACE VIEW event_head AS {HEAD} FROM log_state AS s")


def downgrade() -> None:
    lock_tables("ACCESS EXCLUSIVE", "event_head", "log_state")
    op.execute("DROP VIEW event_head")
    op.execute(f"CREATE VIEW event_head AS {HEAD_BEFORE} FROM log_state AS s")
    op.drop_column("log_state", "promoted")
    op.drop_column("log_state", "synchronous")
