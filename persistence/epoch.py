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
from typing import Any, Final

from sqlalchemy import String, cast, func, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.errors import Unavailable
from persistence.errors import sqlstate
from persistence.models import LogStateRow
from persistence.sql_helpers import affected

_TABLES = "SELECT d.oid::bigint AS database_id, h.tableoid::bigint AS table_id"
_FROM: Final = "FROM log_state h, pg_database d WHERE d.datname = current_database()"
# The name of the current WAL file begins with the timeline in hexadecimal. The control file has the timeline, too, but
# only after the first checkpoint that follows a promotion.
_IDENTITY: Final = text(
    f"{_TABLES}, (SELECT system_identifier FROM pg_control_system()) AS system_id,"  # noqa: S608 - constants only
    f" ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::bigint AS timeline {_FROM}"
)
_DATABASE_AND_TABLE: Final = text(f"{_TABLES}, NULL AS system_id, NULL AS timeline {_FROM}")
_NOT_AVAILABLE: Final = frozenset({"42501", "42883", "0A000"})
"""Insufficient privilege, undefined function, feature not supported (PostgreSQL, appendix A)."""
_IN_RECOVERY: Final = "55000"
"""Object not in prerequisite state: a standby has no current WAL file."""

new_epoch: Final = cast(func.gen_random_uuid(), String)

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


async def check_database_identity(connection: AsyncConnection) -> None:
    """Start a new epoch if the identity has changed. If several processes detect it, only one starts the epoch.

    Raises:
        Unavailable: the server is a standby: it lags behind, and its timeline may change at any time.
    """
    here = await _read_identity(connection)
    known = await _stored_identity(connection)
    found = here.completed(known)
    if found == known:
        return
    values: dict[str, Any] = {column: getattr(found, column) for column in _COLUMNS}
    moved = here.contradicts(known)
    if moved:
        values["epoch"] = new_epoch
    same = [getattr(LogStateRow, column).is_not_distinct_from(getattr(known, column)) for column in _COLUMNS]
    result = await connection.execute(update(LogStateRow).where(*same).values(values))
    if moved and affected(result):
        _log.warning(
            "the identity of the log was %s and is %s: a new epoch starts, and clients load their lists again",
            known,
            here,
        )


async def _read_identity(connection: AsyncConnection) -> DatabaseIdentity:
    try:
        row = (await connection.execute(_IDENTITY)).one()
    except DBAPIError as error:
        if sqlstate(error) == _IN_RECOVERY:
            raise Unavailable("The database server is a standby, or it is still recovering.") from error
        if sqlstate(error) not in _NOT_AVAILABLE:
            raise
        _log.info("the server does not report its identity: run `taskriver stream reset-epoch` after a fail-over")
        row = (await connection.execute(_DATABASE_AND_TABLE)).one()
    return DatabaseIdentity(row.system_id, row.timeline, row.database_id, row.table_id)


async def _stored_identity(connection: AsyncConnection) -> DatabaseIdentity:
    row = (await connection.execute(select(*(getattr(LogStateRow, column) for column in _COLUMNS)))).one()
    return DatabaseIdentity(*row)


_COLUMNS: Final = ("system_id", "timeline", "database_id", "table_id")
