"""Creates the tables of users, sessions and tasks, and the event log with the function that numbers events.

Revision: 0001
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations.steps import lock_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = ("event_head", "events", "tasks", "used_tokens", "sessions", "users")
"""A table comes before the tables that it references."""

INSTANT = sa.DateTime(timezone=True)

NUMBER_EVENTS = """
CREATE FUNCTION number_events(at_most integer)
RETURNS SETOF events
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    head bigint;
    numbered bigint;
BEGIN
    -- One caller at a time. It waits, and does not skip: a caller that was woken must look after the one before has
    -- finished, or an event committed in between is left until the next look. As the function is volatile, each
    -- statement below sees what was committed before *it* began, not before the call did.
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


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    _users()
    _sessions()
    _tasks()
    _events()


def downgrade() -> None:
    lock_tables("ACCESS EXCLUSIVE", *TABLES)
    op.execute("DROP FUNCTION number_events(integer)")
    for table in TABLES:
        op.drop_table(table)
    # The extension stays: it may have existed before, and other applications may use it.


def _users() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("username", sa.String(20), nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("password_hash", sa.String(100), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("access_version", sa.Integer(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.CheckConstraint("role IN ('USER', 'MODERATOR', 'ADMIN')", name=op.f("ck_users_role")),
    )
    op.create_index("uq_users_username_lower", "users", [sa.text('lower(username COLLATE "C")')], unique=True)
    op.create_index("uq_users_email_lower", "users", [sa.text('lower(email COLLATE "C")')], unique=True)
    op.create_index("ix_users_created_at_id", "users", ["created_at", "id"])
    op.create_index("ix_users_admins", "users", ["id"], postgresql_where=sa.text("role = 'ADMIN'"))


def _sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("key_id", sa.String(100), nullable=False),
        sa.Column("ip_address", sa.String(45), nullable=False),
        sa.Column("user_agent", sa.String(512), nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("last_used_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
        sa.UniqueConstraint("token_hash", name="uq_sessions_token_hash"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_sessions_user_id", ondelete="CASCADE"),
    )
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"])
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])
    op.create_table(
        "used_tokens",
        sa.Column("token_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("used_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name="pk_used_tokens"),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name="fk_used_tokens_session_id", ondelete="CASCADE"),
    )
    op.create_index("ix_used_tokens_session_id", "used_tokens", ["session_id"])


def _tasks() -> None:
    op.create_table(
        "tasks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("due_at", INSTANT, nullable=True),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("assignee_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("completed_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_tasks"),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name="fk_tasks_owner_id"),
        sa.ForeignKeyConstraint(["assignee_id"], ["users.id"], name="fk_tasks_assignee_id"),
        sa.CheckConstraint("status IN ('TODO', 'IN_PROGRESS', 'DONE', 'CANCELLED')", name=op.f("ck_tasks_status")),
        sa.CheckConstraint("priority BETWEEN 1 AND 4", name=op.f("ck_tasks_priority")),
    )
    op.create_index("ix_tasks_created_at_id", "tasks", ["created_at", "id"])
    op.create_index("ix_tasks_updated_at_id", "tasks", ["updated_at", "id"])
    op.create_index("ix_tasks_priority_id", "tasks", ["priority", "id"])
    op.create_index("ix_tasks_status_created_at_id", "tasks", ["status", "created_at", "id"])
    op.create_index("ix_tasks_owner_id_created_at_id", "tasks", ["owner_id", "created_at", "id"])
    op.create_index("ix_tasks_assignee_id_created_at_id", "tasks", ["assignee_id", "created_at", "id"])
    op.create_index("ix_tasks_due_first", "tasks", [sa.text("coalesce(due_at, 'infinity'::timestamptz)"), "id"])
    op.create_index("ix_tasks_due_last", "tasks", [sa.text("coalesce(due_at, '-infinity'::timestamptz)"), "id"])
    for column in ("title", "description"):
        op.create_index(
            f"ix_tasks_{column}_trgm",
            "tasks",
            [column],
            postgresql_using="gin",
            postgresql_ops={column: "gin_trgm_ops"},
        )


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("payload", JSONB(), nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
        sa.UniqueConstraint("position", name="uq_events_position"),
        sa.CheckConstraint("kind IN ('TASK', 'ACCESS')", name=op.f("ck_events_kind")),
    )
    op.create_index("ix_events_unnumbered", "events", ["id"], postgresql_where=sa.text("position IS NULL"))
    op.create_index("ix_events_task_id_position", "events", ["task_id", "position"])
    op.create_table(
        "event_head",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("trimmed", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_event_head"),
        sa.CheckConstraint("id = 1", name=op.f("ck_event_head_one_row")),
    )
    op.execute("INSERT INTO event_head (id, position, trimmed, epoch) VALUES (1, 0, 0, gen_random_uuid()::text)")
    op.execute(NUMBER_EVENTS)
