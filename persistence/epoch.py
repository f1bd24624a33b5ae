"""Where the log lives: a log that was moved, restored or promoted is another history, and gets another epoch.

What is remembered beside the epoch is compared with what the server says of itself:

- the system identifier, which a new cluster draws: after a dump was restored into it, or after pg_upgrade;
- the timeline, which a server enters when it is promoted or recovered to a point in time;
- the database and the table, as numbered by the server: after a dump was restored beside or over the old one.

What none of them shows is a table that was emptied and filled again. Whoever does that uses `reset-epoch`; a process
that sees the log become shorter does it by itself.
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
_HERE: Final = "FROM log_state h, pg_database d WHERE d.datname = current_database()"
# The name of the file that is written to begins with the timeline in hexadecimal. The control file knows it, too, but
# only from the first checkpoint after a promotion on.
_EVERYTHING: Final = text(
    f"{_TABLES}, (SELECT system_identifier FROM pg_control_system()) AS system_id,"  # noqa: S608 - our own words
    f" ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::bigint AS timeline {_HERE}"
)
_WITHOUT_THE_SERVER: Final = text(f"{_TABLES}, NULL AS system_id, NULL AS timeline {_HERE}")
_WONT_TELL: Final = frozenset({"42501", "42883", "0A000"})
"""Insufficient privilege, undefined function, feature not supported (PostgreSQL, appendix A)."""
_IN_RECOVERY: Final = "55000"
"""Not in the prerequisite state: a standby writes no files that could be named."""

new_epoch: Final = cast(func.gen_random_uuid(), String)

_log: Final = logging.getLogger("taskriver.database")


@dataclass(frozen=True, slots=True)
class DatabaseIdentity:
    """Where the log lives; None for what the server does not tell."""

    system_id: int | None
    timeline: int | None
    database_id: int | None
    table_id: int | None

    def contradicts(self, other: "DatabaseIdentity") -> bool:
        """Whether they cannot both be of the same log."""
        pairs = zip(astuple(self), astuple(other), strict=True)
        return any(None not in (mine, theirs) and mine != theirs for mine, theirs in pairs)

    def completed(self, other: "DatabaseIdentity") -> "DatabaseIdentity":
        """What is known here, and else what is known of the other."""
        pairs = zip(astuple(self), astuple(other), strict=True)
        return DatabaseIdentity(*(theirs if mine is None else mine for mine, theirs in pairs))


async def check_database_identity(connection: AsyncConnection) -> None:
    """Begin a new epoch if the log is not where it was; of the processes that find out, one does it.

    Raises:
        Unavailable: the server is a standby: it lags behind, and may enter another timeline under our hands.
    """
    here = await _look_around(connection)
    known = await _remembered(connection)
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
        _log.warning("the log was at %s and is at %s: a new epoch begins, listeners load anew", known, here)


async def _look_around(connection: AsyncConnection) -> DatabaseIdentity:
    try:
        row = (await connection.execute(_EVERYTHING)).one()
    except DBAPIError as error:
        if sqlstate(error) == _IN_RECOVERY:
            raise Unavailable("The database server is a standby, or still recovering.") from error
        if sqlstate(error) not in _WONT_TELL:
            raise
        _log.info("the server does not tell which one it is: after a fail-over, `taskriver stream reset-epoch`")
        row = (await connection.execute(_WITHOUT_THE_SERVER)).one()
    return DatabaseIdentity(row.system_id, row.timeline, row.database_id, row.table_id)


async def _remembered(connection: AsyncConnection) -> DatabaseIdentity:
    row = (await connection.execute(select(*(getattr(LogStateRow, column) for column in _COLUMNS)))).one()
    return DatabaseIdentity(*row)


_COLUMNS: Final = ("system_id", "timeline", "database_id", "table_id")
