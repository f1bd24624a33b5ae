"""Gives events a random fingerprint, and stream cursors a format that contains it.

If the history is replaced, such as by a restore, other events get the positions of lost ones, but not their
fingerprints. So a cursor with a fingerprint shows whether the events before it are still those that its client has.

Existing events have no fingerprint. The database draws those of new ones, also for processes of the previous version.
New cursors have the old format until an operator sets `log_state.cursor_format`, because processes of the previous
version cannot read the new one. A database without users has no such processes: it starts with the new format.

Revision: 0006
"""

import sqlalchemy as sa
from alembic import op

from migrations.steps import lock_tables

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

RANDOM_48_BITS = "((random() * '281474976710655'::double precision))::bigint"
START_WITH_FINGERPRINTS = "UPDATE log_state SET cursor_format = 2 WHERE NOT EXISTS (SELECT FROM users)"

# The columns of the view before come first, so that it can be replaced while processes of the previous version read it.
# Subqueries keep it updatable. -1 is an event without a fingerprint, in contrast to no event.
HEAD = """
CREATE OR REPLACE VIEW event_head AS
SELECT s.id,
       greatest(s.trimmed, (SELECT e.position FROM events AS e WHERE e.position > s.trimmed
                            ORDER BY e.position DESC LIMIT 1)) AS position,
       s.trimmed, s.epoch, s.system_id, s.timeline, s.database_id, s.table_id, s.tableoid AS tableoid,
       s.cursor_format,
       CASE WHEN s.cursor_format = 2 THEN nullif(coalesce(
           (SELECT coalesce(e.fingerprint, -1) FROM events AS e WHERE e.position > s.trimmed
            ORDER BY e.position DESC LIMIT 1),
           CASE WHEN s.boundary = s.trimmed THEN s.boundary_fingerprint END
       ), -1) END AS cursor_fingerprint
FROM log_state AS s
"""
HEAD_BEFORE = """
CREATE VIEW event_head AS
SELECT s.id,
       greatest(s.trimmed, (SELECT e.position FROM events AS e WHERE e.position > s.trimmed
                            ORDER BY e.position DESC LIMIT 1)) AS position,
       s.trimmed, s.epoch, s.system_id, s.timeline, s.database_id, s.table_id, s.tableoid AS tableoid
FROM log_state AS s
"""


def upgrade() -> None:
    # For the catalog only: no row is written or checked. The view is locked before its tables, as its readers do it;
    # otherwise a reader that arrives in between holds the view, waits for the tables, and keeps the migration waiting.
    lock_tables("ACCESS EXCLUSIVE", "event_head", "events", "log_state")
    op.add_column("events", sa.Column("fingerprint", sa.BigInteger(), nullable=True))
    # With the default in a statement of its own, existing rows are not written.
    op.alter_column("events", "fingerprint", server_default=sa.text(RANDOM_48_BITS))
    op.add_column("log_state", sa.Column("boundary", sa.BigInteger(), nullable=True))
    op.add_column("log_state", sa.Column("boundary_fingerprint", sa.BigInteger(), nullable=True))
    op.add_column(
        "log_state", sa.Column("cursor_format", sa.SmallInteger(), nullable=False, server_default=sa.text("1"))
    )
    op.create_check_constraint(op.f("ck_log_state_cursor_format"), "log_state", "cursor_format IN (1, 2)")
    op.execute(START_WITH_FINGERPRINTS)
    op.execute(HEAD)


def downgrade() -> None:
    lock_tables("ACCESS EXCLUSIVE", "event_head", "events", "log_state")
    op.execute("DROP VIEW event_head")
    op.execute(HEAD_BEFORE)
    op.drop_constraint(op.f("ck_log_state_cursor_format"), "log_state")
    for column in ("boundary", "boundary_fingerprint", "cursor_format"):
        op.drop_column("log_state", column)
    op.drop_column("events", "fingerprint")
