"""Detects that the event log was moved, restored or promoted. Then it is another history, and gets a new epoch.

The identity that is stored beside the epoch is compared with the identity that the server reports:

- the system identifier. A new cluster has a new one: after a dump was restored into it, or after pg_upgrade;
- the timeline. It changes when a server is promoted or recovered to a point in time;
- the ids of the database and of the table. They change when a dump is restored beside or over the old database.

None of them changes when a table is emptied and filled again. Then the operator runs `reset-epoch`. A process that sees
the log become shorter starts a new epoch by itself.
"""

import logging
from dataclasses import astuple, dataclass
from typing import Final

import asyncpg

from domain.errors import Unavailable
from persistence.queries.connection_pool import Connection

_FROM: Final = "FROM log_state h, pg_database d WHERE d.datname = current_database()"
# The name of the current WAL file begins with the timeline in hexadecimal. The control file has the timeline, too, but
# only after the first checkpoint that follows a promotion.
_SYSTEM: Final = "(SELECT system_identifier FROM pg_control_system())"
_TIMELINE: Final = "('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::bigint"
_IDENTITY: Final = f"SELECT {_SYSTEM}, {_TIMELINE}, d.oid::bigint, h.tableoid::bigint {_FROM}"
_DATABASE_AND_TABLE: Final = f"SELECT NULL::bigint, NULL::bigint, d.oid::bigint, h.tableoid::bigint {_FROM}"
_STORED: Final = "SELECT system_id, timeline, database_id, table_id FROM log_state"
_REPLACE: Final = (
    "UPDATE log_state SET system_id = $1, timeline = $2, database_id = $3, table_id = $4,"
    " epoch = CASE WHEN $5 THEN gen_random_uuid()::text ELSE epoch END"
    " WHERE system_id IS NOT DISTINCT FROM $6 AND timeline IS NOT DISTINCT FROM $7"
    " AND database_id IS NOT DISTINCT FROM $8 AND table_id IS NOT DISTINCT FROM $9 RETURNING 1"
)
_NOT_AVAILABLE: Final = (
    asyncpg.InsufficientPrivilegeError,
    asyncpg.UndefinedFunctionError,
    asyncpg.FeatureNotSupportedError,
)

_log: Final = logging.getLogger("taskriver.database")


@dataclass(frozen=True, slots=True)
class DatabaseIdentity:
    """The identity of the database of the log; None for values that the server does not report."""

    system_id: int | None
    timeline: int | None
    database_id: int | None
    table_id: int | None

    def contradicts(self, other: "DatabaseIdentity") -> bool:
        """Whether the two identities cannot belong to the same log."""
        pairs = zip(astuple(self), astuple(other), strict=True)
        return any(None not in (mine, theirs) and mine != theirs for mine, theirs in pairs)

    def completed(self, other: "DatabaseIdentity") -> "DatabaseIdentity":
        """The identity, with missing values taken from *other*."""
        pairs = zip(astuple(self), astuple(other), strict=True)
        return DatabaseIdentity(*(theirs if mine is None else mine for mine, theirs in pairs))


async def check_database_identity(connection: Connection) -> None:
    """Start a new epoch if the identity has changed. If several processes detect it, only one starts the epoch.

    Raises:
        Unavailable: the server is a standby: it lags behind, and its timeline may change at any time.
    """
    here = await _read_identity(connection)
    known = DatabaseIdentity(*await connection.fetchrow(_STORED))
    found = here.completed(known)
    if found == known:
        return
    moved = here.contradicts(known)
    if await connection.fetch(_REPLACE, *astuple(found), moved, *astuple(known)) and moved:
        _log.warning(
            "the identity of the log was %s and is %s: a new epoch starts, and clients load their lists again",
            known,
            here,
        )


async def _read_identity(connection: Connection) -> DatabaseIdentity:
    try:
        return DatabaseIdentity(*await connection.fetchrow(_IDENTITY))
    except asyncpg.ObjectNotInPrerequisiteStateError as error:  # a standby has no current WAL file
        raise Unavailable("The database server is a standby, or it is still recovering.") from error
    except _NOT_AVAILABLE:
        _log.info("the server does not report its identity: run `taskriver stream reset-epoch` after a fail-over")
        return DatabaseIdentity(*await connection.fetchrow(_DATABASE_AND_TABLE))
