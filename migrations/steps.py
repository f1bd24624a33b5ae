"""Helpers for migrations that run while servers of the previous version are running.

Each transaction of a migration calls `lock_tables` first, with the strongest lock that it needs on an existing table. A
lock that is taken later, or made stronger, can deadlock with a transaction that holds a weaker one. `in_batches` copies
rows between such transactions and never inside one. All steps can be repeated: a migration that did not get a lock
starts again from its beginning.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from uuid import UUID

from alembic import op
from sqlalchemy import Connection, text

LOCK_WAIT_MILLISECONDS: Final = 500
"""How long a migration waits for its locks. Later requests for the tables wait as long."""

BATCH_ROWS: Final = 100
"""Rows that one statement copies; they stay locked until it ends."""

_SKIP: Final = "SKIP LOCKED"
_WAIT: Final = ""
_BEFORE_ALL: Final = UUID(int=0)


def limit_waits(connection: Connection) -> None:
    """Set a short lock time-out for all statements of this connection."""
    connection.execute(text(f"SET lock_timeout = {LOCK_WAIT_MILLISECONDS}"))


def lock_tables(mode: str, *tables: str) -> None:
    """Lock tables in this order, within `LOCK_WAIT_MILLISECONDS` for all of them together.

    The order is that of the writers: a table comes before those that its triggers write. Otherwise a writer that holds
    the later table waits for the earlier one until the migration gives up.
    """
    op.execute(
        f"SET LOCAL lock_timeout = {LOCK_WAIT_MILLISECONDS // len(tables)}"
    )  # the time-out applies to each table
    op.execute(f"LOCK TABLE {', '.join(tables)} IN {mode} MODE")


@contextmanager
def outside_transaction() -> Iterator[None]:
    """Commit the current transaction; inside the block each statement is its own transaction."""
    with op.get_context().autocommit_block():
        yield


def create_index(name: str, definition: str, *, unique: bool = False) -> None:
    """Create an index without blocking readers or writers; *definition* follows the name. Call it outside transactions.

    It waits for older transactions as long as they take. An index that exists is kept, if an interrupted attempt did
    not leave it invalid.
    """
    is_invalid = "SELECT EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass(:name) AND NOT indisvalid)"
    with _without_lock_timeout():
        if op.get_bind().scalar(text(is_invalid), {"name": name}):
            op.execute(f"DROP INDEX CONCURRENTLY {name}")
        op.execute(f"CREATE {'UNIQUE ' if unique else ''}INDEX CONCURRENTLY IF NOT EXISTS {name} {definition}")


def validate_constraint(table: str, name: str) -> None:
    """Check all rows for a new constraint, without blocking readers or writers. Call it outside transactions."""
    with _without_lock_timeout():
        op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")


@contextmanager
def _without_lock_timeout() -> Iterator[None]:
    """For statements that wait for others without letting anyone wait for them."""
    op.execute("SET lock_timeout = 0")
    yield
    limit_waits(op.get_bind())


def in_batches(statement: str) -> None:
    """Run *statement* until there are no rows left.

    Its parameters are `:after` (a UUID) and `:rows`. It processes the next rows after `:after` in ascending order, and
    returns the last id. `{wait}` is replaced by the handling of locked rows: they are skipped first, and processed at
    the end.
    """
    with outside_transaction():
        for wait in (_SKIP, _WAIT):
            while _pass(statement.format(wait=wait)):
                pass


def allow_event_kinds(*kinds: str) -> None:
    """Let the table of events have these kinds, in transactions of its own; call it first in a migration.

    A kind is never removed: its events stay in the log.
    """
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    lock_tables("ACCESS EXCLUSIVE", "events")
    op.execute("ALTER TABLE events DROP CONSTRAINT IF EXISTS ck_events_kind")
    op.execute(f"ALTER TABLE events ADD CONSTRAINT ck_events_kind CHECK (kind IN ({listed})) NOT VALID")
    with outside_transaction():
        op.execute("ALTER TABLE events VALIDATE CONSTRAINT ck_events_kind")  # reads all rows and blocks no writer


def _pass(statement: str) -> int:
    """Process all rows once; returns the number of batches."""
    batches, after = 0, _BEFORE_ALL
    while (last := op.get_bind().scalar(text(statement), {"after": after, "rows": BATCH_ROWS})) is not None:
        batches, after = batches + 1, last
    return batches
