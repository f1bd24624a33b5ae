"""Which server holds the event log, and what the log remembers of it.

`log_state` has the identity of the server that was seen last. It is compared with the identity that a server reports:

- the system identifier. A new cluster has a new one: after a dump was restored into it, or after pg_upgrade;
- the timeline. It changes when a standby is promoted, or a server is recovered to a point in time;
- the ids of the database and of the table. They change when a dump is restored beside or over the old database.

None of them changes when a table is emptied and filled again. Then the operator runs `reset-epoch`.
"""

import logging
from dataclasses import astuple, dataclass, replace
from typing import Final

import asyncpg

from domain.errors import Unavailable

# The name of the current WAL file begins with the timeline in hexadecimal. The control file has the timeline, too, but
# only after the first checkpoint that follows a promotion.
_SYSTEM: Final = "(SELECT system_identifier FROM pg_control_system())"
_TIMELINE: Final = "('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::bigint"
_DATABASE: Final = "(SELECT oid::bigint FROM pg_database WHERE datname = current_database())"
_TABLE: Final = "(SELECT tableoid::bigint FROM log_state)"
# A commit waits for a standby with all values of synchronous_commit but these two (PostgreSQL, 20.5.1).
_SYNCHRONOUS: Final = (
    "(current_setting('synchronous_standby_names') <> '' AND current_setting('synchronous_commit')"
    " NOT IN ('off', 'local'))"
)
# After a recovery to a point in time, its target usually stays in the configuration.
_RECOVERED_TO_A_TARGET: Final = (
    "(SELECT bool_or(setting <> '') FROM pg_settings WHERE name IN ('recovery_target', 'recovery_target_lsn',"
    " 'recovery_target_name', 'recovery_target_time', 'recovery_target_xid'))"
)
_NOT_AVAILABLE: Final = (
    asyncpg.InsufficientPrivilegeError,
    asyncpg.UndefinedFunctionError,
    asyncpg.FeatureNotSupportedError,
)
_STANDBY: Final = asyncpg.ObjectNotInPrerequisiteStateError
"""The error of a standby for the functions of the timeline: it writes no WAL."""

_log: Final = logging.getLogger("taskriver.database")


class OtherServer(Unavailable):
    """Another server answered than the one whose log this process reads; its head has to be read first."""


@dataclass(frozen=True, slots=True)
class DatabaseIdentity:
    """The identity of the database of the log; None for values that the server does not report."""

    system_id: int | None
    timeline: int | None
    database_id: int | None
    table_id: int | None

    def contradicts(self, other: "DatabaseIdentity") -> bool:
        """Whether the two identities cannot belong to the same log on the same timeline."""
        pairs = zip(astuple(self), astuple(other), strict=True)
        return any(None not in (mine, theirs) and mine != theirs for mine, theirs in pairs)

    def is_on_another_timeline(self, other: "DatabaseIdentity") -> bool:
        """Whether the two differ in the timeline alone: one server was promoted, or recovered."""
        return self.contradicts(other) and not replace(self, timeline=None).contradicts(other)

    def completed(self, other: "DatabaseIdentity") -> "DatabaseIdentity":
        """The identity, with missing values taken from *other*."""
        pairs = zip(astuple(self), astuple(other), strict=True)
        return DatabaseIdentity(*(theirs if mine is None else mine for mine, theirs in pairs))


@dataclass(frozen=True, slots=True)
class LogServer:
    """The server that answered, and what the log remembers of the last one.

    `is_synchronous` tells whether a commit waits for a standby now, and `was_synchronous` whether it did on the
    remembered timeline. A synchronous standby has every change that was acknowledged.
    """

    here: DatabaseIdentity
    remembered: DatabaseIdentity
    is_synchronous: bool = False
    was_synchronous: bool = False
    recovered_to_a_target: bool = False

    @property
    def identity(self) -> DatabaseIdentity:
        """The identity of the server, completed by what is remembered."""
        return self.here.completed(self.remembered)

    @property
    def is_remembered(self) -> bool:
        """Whether the log remembers exactly this server."""
        return self.identity == self.remembered and self.is_synchronous is self.was_synchronous

    @property
    def key(self) -> str:
        """The text that `IdentityQueries.key` returns for this server."""
        return "/".join(str(value) for value in astuple(self.here) if value is not None)


@dataclass(frozen=True, slots=True)
class IdentityQueries:
    """SQL expressions for the identity of the server."""

    system: str
    timeline: str

    @property
    def columns(self) -> str:
        """The columns of `LogServer`, from `log_state AS s`."""
        remembered = "s.system_id, s.timeline, s.database_id, s.table_id"
        here = f"{self.system}, {self.timeline}, {_DATABASE}, s.tableoid::bigint"
        return f"{here}, {remembered}, {_SYNCHRONOUS}, s.synchronous, {_RECOVERED_TO_A_TARGET}"

    @property
    def key(self) -> str:
        """One text for the whole identity."""
        return f"concat_ws('/', {self.system}, {self.timeline}, {_DATABASE}, {_TABLE})"


COMPLETE: Final = IdentityQueries(_SYSTEM, _TIMELINE)
WITHOUT_FUNCTIONS: Final = IdentityQueries("NULL::bigint", "NULL::bigint")
"""For managed servers that refuse the functions."""


class KnownServer:
    """The server whose log the processes of this pool read. Statements on any other one are refused.

    Behind a pooler, or with several hosts in the URL, each statement may reach another server: after a failover, one
    that has other events at the same positions.
    """

    def __init__(self) -> None:
        self.queries = COMPLETE
        self._key: str | None = None

    def accept(self, server: LogServer) -> None:
        """Read the log of this server from now on."""
        self._key = server.key

    def check(self, key: str) -> None:
        """Check the server of a statement.

        Raises:
            OtherServer: it is not the one whose log is read.
        """
        if self._key is not None and key != self._key:
            raise OtherServer("The database server has changed; try again in a moment.")

    def translate(self, error: Exception) -> Exception:
        """The error to raise instead of *error*, after a statement with one of the expressions."""
        if isinstance(error, _STANDBY):
            return OtherServer("The database server is a standby, or it is still recovering.")
        if isinstance(error, _NOT_AVAILABLE) and self.queries is COMPLETE:
            _log.info("the server does not report its identity: run `taskriver stream reset-epoch` after a fail-over")
            self.queries, self._key = WITHOUT_FUNCTIONS, None
            return OtherServer("The database server does not report its identity; try again.")
        return error


def server_of(columns: tuple[object, ...]) -> LogServer:
    """The server, from the columns of `IdentityQueries.columns`."""
    here, remembered, facts = columns[:4], columns[4:8], columns[8:]
    return LogServer(DatabaseIdentity(*here), DatabaseIdentity(*remembered), *map(bool, facts))  # type: ignore[arg-type]
