"""What is asked and said of the numbering floor, the id below which numbering need not look.

Every INSERT takes its lock on `events` before it draws an id, and keeps it until its transaction has ended. So of all
transactions that may still commit one of the ids drawn so far, each holds the lock at this moment.
"""

from dataclasses import dataclass
from typing import Final

LAST_ID: Final = (
    "SELECT epoch, pg_relation_filenode('events')::bigint AS file, coalesce("
    "(SELECT id FROM events WHERE id >= numbering_floor() ORDER BY id DESC LIMIT 1), 0) AS id FROM log_state"
)
WRITERS: Final = (
    "SELECT l.virtualtransaction AS name, l.pid IS NULL AS prepared FROM pg_locks AS l"
    " WHERE l.locktype = 'relation' AND l.relation = 'events'::regclass AND l.mode = 'RowExclusiveLock' AND l.granted"
    " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
# One of two that raise it at the same time may leave the other's row; the greatest counts all the same.
RAISE: Final = (
    "WITH old AS (SELECT numbering_floor() AS floor), fresh AS ("
    " INSERT INTO event_floors (epoch, file, floor) SELECT $1, $2, coalesce((SELECT e.id FROM events AS e"
    " WHERE e.position IS NULL AND e.id >= old.floor AND e.id <= $3 ORDER BY e.id LIMIT 1), $3 + 1) FROM old"
    " ON CONFLICT DO NOTHING RETURNING floor)"
    " DELETE FROM event_floors AS f USING old, fresh"
    " WHERE f.epoch = $1 AND f.file = $2 AND f.floor = old.floor AND f.floor < fresh.floor"
)


@dataclass(frozen=True, slots=True)
class LastId:
    """The last id that is committed, in an epoch and a file of the table: those before it are drawn, too."""

    epoch: str
    file: int
    id: int


@dataclass(frozen=True, slots=True)
class Writers:
    """The transactions that have written to `events` and have not ended, by the names that the server gives them.

    A transaction changes its name when it is prepared for a two-phase commit.
    """

    names: frozenset[str]
    is_one_prepared: bool

    def may_include(self, others: "Writers") -> bool:
        """Whether one of these may be one of the others."""
        return self.is_one_prepared or not self.names.isdisjoint(others.names)
