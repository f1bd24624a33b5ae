"""Statements for the numbering floor: all events with a smaller id have a position already.

Every INSERT locks the table `events` before it draws an id, and holds this lock until its transaction ends. So each
transaction that may still commit one of the ids drawn so far holds the lock at this moment.
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
# If two processes raise it at the same time, a smaller row may remain. Only the greatest floor counts.
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
    """The last committed id, in an epoch and a file of the table. All smaller ids are drawn already."""

    epoch: str
    file: int
    id: int


@dataclass(frozen=True, slots=True)
class Writers:
    """The open transactions that have written to `events`, by their names on the server.

    The name of a transaction changes when it is prepared for a two-phase commit.
    """

    names: frozenset[str]
    is_one_prepared: bool

    def may_include(self, others: "Writers") -> bool:
        """Whether the two sets may have a transaction in common."""
        return self.is_one_prepared or not self.names.isdisjoint(others.names)
