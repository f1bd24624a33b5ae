"""Classifies database errors: temporary failures, for which a retry may succeed, and others."""

import asyncpg
from sqlalchemy.exc import DBAPIError, IntegrityError, PendingRollbackError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from domain.errors import Unavailable
from persistence.outage_log import note_outage

_RETRYABLE = (
    "08",  # connection exception
    "25006",  # read-only: a fail-over is in progress
    "25P03",  # idle in transaction timeout
    "25P04",  # transaction timeout
    "26000",  # the prepared statement does not exist: the session is another one
    "28",  # the server refuses the user: a password is being changed
    "3D",  # the server has no such database: it is being restored
    "40",  # serialization failure, deadlock
    "42P05",  # the prepared statement exists already: the session is another one
    "53",  # insufficient resources
    "55P03",  # lock not available
    "57P",  # shutdown, crash, cannot connect now
    "57014",  # statement timeout
    "58",  # the server's own disk or files fail
    "XX000",  # internal error of the server
)
_OTHER_SESSION = ("26000", "42P05")
_STANDBY = "25006"
"""The server of this connection has become a standby, unless the transaction is read-only."""
_SESSION_ENDED = ("08", "57P")
_SERVER_ENDS = ("57P01", "57P02", "57P03")
_CONNECTION = (
    OSError,  # TimeoutError, ConnectionError and ssl.SSLError, too
    EOFError,  # asyncio.IncompleteReadError, too
    PoolTimeout,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # the connection broke during a protocol exchange
    asyncpg.PostgresConnectionError,
    asyncpg.InvalidCachedStatementError,  # a migration changed a table while the connection was open
)
_INVALIDATED = "8s2b"
"""SQLAlchemy's code for a transaction whose connection broke."""


def unavailable(error: BaseException) -> Unavailable | None:
    """`Unavailable` if a retry of the request may succeed, else None (SQLSTATE, PostgreSQL appendix A)."""
    cause = _cause(error)
    if not (is_retryable(cause) or getattr(error, "connection_invalidated", False)):
        return None
    return connection_lost(cause)


def connection_lost(error: BaseException) -> Unavailable:
    """The error for a broken connection."""
    note_outage(error)
    return Unavailable("The database is temporarily unavailable; try again in a moment.")


def is_retryable(error: BaseException | None) -> bool:
    """Whether the connection broke, or the server reported an error for which a retry may succeed."""
    if isinstance(error, _CONNECTION):
        # asyncpg raises this class also for values that it cannot encode. A retry does not help then.
        return not isinstance(error, ValueError)
    return _state(error).startswith(_RETRYABLE) or _is_closed(error)


def is_statement_error(error: BaseException) -> bool:
    """Whether only the statement failed, so that the connection can be used again."""
    return isinstance(error, asyncpg.PostgresError) and not _state(error).startswith((*_OTHER_SESSION, _STANDBY))


def is_server_lost(error: BaseException) -> bool:
    """Whether other connections to the same server are probably of no use either."""
    if isinstance(error, OSError | asyncpg.PostgresConnectionError):
        return True
    return _state(error).startswith((_STANDBY, *_SERVER_ENDS))


def is_no_primary(error: BaseException) -> bool:
    """Whether hosts answer, and none of them is the primary."""
    return isinstance(error, asyncpg.TargetServerAttributeNotMatched)


def is_rolled_back(error: BaseException) -> bool:
    """Whether the server refused a statement, so that nothing of it is stored.

    The end of a session is no such answer: it may have come after the commit.
    """
    return is_statement_error(error) and not _state(error).startswith(_SESSION_ENDED)


def _cause(error: BaseException) -> BaseException:
    """The driver's exception inside SQLAlchemy's exception."""
    if not isinstance(error, DBAPIError) or error.orig is None:
        return error
    return error.orig.__cause__ or error.orig


def _state(error: BaseException | None) -> str:
    state = getattr(error, "sqlstate", None)
    return state if isinstance(state, str) else ""


def _is_closed(error: BaseException | None) -> bool:
    """Whether the connection of the transport or of the transaction was already closed."""
    if isinstance(error, PendingRollbackError):
        return error.code == _INVALIDATED
    return type(error) is RuntimeError and "closed" in str(error)  # the message of uvloop and asyncio


def sqlstate(error: DBAPIError) -> str:
    """The SQLSTATE of the error (PostgreSQL, appendix A); empty if there is none."""
    return _state(error.orig)


def server_message(error: DBAPIError) -> str:
    """The server's message in one line, without the statement, its parameters and the values in its details."""
    found = _cause(error)
    return str(getattr(found, "message", None) or found).partition("\n")[0]


class ReferenceLost(Exception):
    """A row refers to a row that another transaction has deleted, or is deleted while others refer to it."""


class RowsChanged(Exception):
    """Rows that were read without a lock are not as they were, or are locked by another transaction."""


class Duplicate(Exception):
    """A row violates the unique index `constraint`."""

    def __init__(self, constraint: str) -> None:
        super().__init__(constraint)
        self.constraint = constraint


def duplicate(error: IntegrityError) -> Duplicate | None:
    """`Duplicate` if the row violates a unique index, else None."""
    cause = error.orig.__cause__ if error.orig is not None else None
    if isinstance(cause, asyncpg.UniqueViolationError):
        return Duplicate(cause.constraint_name or "")
    return None
