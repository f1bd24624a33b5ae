"""What every migration does the same way, so that it can run while the previous version serves.

A transaction of a migration calls `lock_tables` before anything else, with the strongest lock that it will need on a
table that was there before. A lock that is taken later, or made stronger, can deadlock with a transaction that already
holds a weaker one. Rows are copied by `in_batches`, between such transactions and never inside one. All steps can be
repeated: a migration that did not get a lock is started again from its beginning.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from uuid import UUID

from alembic import op
from sqlalchemy import Connection, text

LOCK_WAIT_MILLISECONDS: Final = 500
"""How long a migration waits for its locks; every request that comes after it queues behind it for as long."""

BATCH_ROWS: Final = 100
"""Rows that one statement copies: they stay locked until it is done."""

_SKIP: Final = "SKIP LOCKED"
_WAIT: Final = ""
_BEFORE_ALL: Final = UUID(int=0)


def limit_waits(connection: Connection) -> None:
    """Have every statement of this connection give up a lock that it does not get soon."""
    connection.execute(text(f"SET lock_timeout = {LOCK_WAIT_MILLISECONDS}"))


def lock_tables(mode: str, *tables: str) -> None:
    """Lock tables in alphabetical order, within `LOCK_WAIT_MILLISECONDS` for all of them together."""
    op.execute(f"SET LOCAL lock_timeout = {LOCK_WAIT_MILLISECONDS // len(tables)}")  # it counts for each table
    op.execute(f"LOCK TABLE {', '.join(sorted(tables))} IN {mode} MODE")


@contextmanager
def outside_transaction() -> Iterator[None]:
    """Commit what was done so far; inside the block each statement is a transaction of its own."""
    with op.get_context().autocommit_block():
        yield


def in_batches(statement: str) -> None:
    """Run *statement* until it has nothing left to do.

    It takes `:after` (a UUID) and `:rows`, handles the next rows behind `:after` in ascending order, and returns the
    last id that it handled. `{wait}` in it stands for what it does about rows that somebody has locked: they are left
    for later until there are no others.
    """
    with outside_transaction():
        for wait in (_SKIP, _WAIT):
            while _pass(statement.format(wait=wait)):
                pass


def _pass(statement: str) -> int:
    """Handle all rows once; returns how many batches that were."""
    batches, after = 0, _BEFORE_ALL
    while (last := op.get_bind().scalar(text(statement), {"after": after, "rows": BATCH_ROWS})) is not None:
        batches, after = batches + 1, last
    return batches
