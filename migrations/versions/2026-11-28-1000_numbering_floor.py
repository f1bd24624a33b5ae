"""Keeps the numbering of events fast while an old snapshot is open.

Before, numbering updated the single row of `event_head` for each batch, and searched events without a position from the
start of the index. Both leave dead entries that cannot be removed while an old snapshot is open, and each later batch
read all of them. Now the last position is that of the last event, and the search starts at a floor: all events with a
smaller id have a position.

`event_head` becomes a view, so that processes of the previous version can still read it and update the epoch and the
trimmed position. The next version can remove it.

Revision: 0005
"""

import sqlalchemy as sa
from alembic import op

from migrations.steps import lock_tables

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# A view may have a column with the name of a system column; processes of the previous version compare it.
HEAD = """
CREATE VIEW event_head AS
SELECT s.id,
       greatest(s.trimmed, (SELECT e.position FROM events AS e WHERE e.position > s.trimmed
                            ORDER BY e.position DESC LIMIT 1)) AS position,
       s.trimmed, s.epoch, s.system_id, s.timeline, s.database_id, s.table_id, s.tableoid AS tableoid
FROM log_state AS s
"""
# If the table is replaced, such as by a restore or TRUNCATE, it has another file, and its ids may start at 1 again.
FLOOR = """
CREATE FUNCTION numbering_floor() RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT coalesce(
        (SELECT f.floor FROM event_floors AS f
         WHERE f.epoch = (SELECT epoch FROM log_state) AND f.file = pg_relation_filenode('events')::bigint
         ORDER BY f.floor DESC LIMIT 1),
        0)
$$
"""
# Servers may connect with another role than the owner.
SAME_PRIVILEGES = """
DO $$
DECLARE
    granted record;
BEGIN
    FOR granted IN
        SELECT source.target, acl.privilege_type AS privilege, acl.grantee
        FROM (VALUES ('log_state'::regclass, 'event_head'), ('events'::regclass, 'event_floors')) AS source(id, target)
        JOIN pg_class AS c ON c.oid = source.id, aclexplode(c.relacl) AS acl
        WHERE acl.grantee <> c.relowner AND acl.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
    LOOP
        EXECUTE format('GRANT %s ON %I TO %s', granted.privilege, granted.target,
                       CASE WHEN granted.grantee = 0 THEN 'PUBLIC' ELSE granted.grantee::regrole::text END);
    END LOOP;
END
$$
"""
NUMBER_EVENTS = """
CREATE OR REPLACE FUNCTION number_events(at_most integer)
RETURNS SETOF events
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    head bigint;
    first bigint;
BEGIN
    -- One caller at a time. It waits, and does not skip: a caller that was woken must look after the one before has
    -- finished, or an event committed in between is left until the next look. As the function is volatile, each
    -- statement below sees what was committed before *it* began, not before the call did.
    PERFORM 1 FROM log_state WHERE id = 1 FOR UPDATE;
    SELECT event_head.position INTO STRICT head FROM event_head;
    first := numbering_floor();
    RETURN QUERY
        WITH pending AS (
            SELECT e.id, row_number() OVER (ORDER BY e.id) AS rank
            FROM (SELECT events.id FROM events WHERE events.position IS NULL AND events.id >= first
                  ORDER BY events.id LIMIT at_most) AS e
        )
        UPDATE events SET position = head + pending.rank
        FROM pending WHERE events.id = pending.id
        RETURNING events.*;
END
$$
"""
NUMBER_EVENTS_BEFORE = """
CREATE OR REPLACE FUNCTION number_events(at_most integer)
RETURNS SETOF events
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    head bigint;
    numbered bigint;
BEGIN
    SELECT event_head.position INTO STRICT head FROM event_head WHERE event_head.id = 1 FOR UPDATE;
    RETURN QUERY
        WITH pending AS (
            SELECT e.id, row_number() OVER (ORDER BY e.id) AS rank
            FROM (SELECT events.id FROM events WHERE events.position IS NULL ORDER BY events.id LIMIT at_most) AS e
        )
        UPDATE events SET position = head + pending.rank
        FROM pending WHERE events.id = pending.id
        RETURNING events.*;
    GET DIAGNOSTICS numbered = ROW_COUNT;
    IF numbered > 0 THEN
        UPDATE event_head SET position = head + numbered WHERE event_head.id = 1;
    END IF;
END
$$
"""
# Since PostgreSQL 18, NOT NULL constraints have names, too.
RENAME_CONSTRAINTS = """
DO $$
DECLARE
    named name;
BEGIN
    FOR named IN SELECT conname FROM pg_constraint WHERE conrelid = '{after}'::regclass LOOP
        EXECUTE format('ALTER TABLE {after} RENAME CONSTRAINT %I TO %I', named,
                       replace(named, '{before}', '{after}'));
    END LOOP;
END
$$
"""
LAST_POSITION = """
UPDATE event_head SET position = greatest(trimmed, (SELECT max(position) FROM events))
"""


def upgrade() -> None:
    lock_tables("ACCESS EXCLUSIVE", "event_head")  # no other table is changed
    op.create_table(
        "event_floors",
        sa.Column("epoch", sa.String(40), nullable=False),
        sa.Column("file", sa.BigInteger(), nullable=False),
        sa.Column("floor", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("epoch", "file", "floor", name="pk_event_floors"),
    )
    _rename("event_head", "log_state")
    op.drop_column("log_state", "position")
    for statement in (HEAD, FLOOR, NUMBER_EVENTS, SAME_PRIVILEGES):
        op.execute(statement)


def downgrade() -> None:
    lock_tables("ACCESS EXCLUSIVE", "log_state")
    op.execute("DROP VIEW event_head")
    op.execute("DROP FUNCTION numbering_floor()")
    op.drop_table("event_floors")
    _rename("log_state", "event_head")
    op.add_column("event_head", sa.Column("position", sa.BigInteger(), nullable=False, server_default="0"))
    op.execute(LAST_POSITION)
    op.alter_column("event_head", "position", server_default=None)
    op.execute(NUMBER_EVENTS_BEFORE)


def _rename(before: str, after: str) -> None:
    op.rename_table(before, after)
    op.execute(RENAME_CONSTRAINTS.format(before=before, after=after))
