"""Which of the database's failures mean "try again" and not "this is a bug"."""

import asyncpg
from sqlalchemy.exc import DBAPIError, IntegrityError, PendingRollbackError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from domain.errors import Unavailable
from persistence.outage_log import note_outage

_RETRYABLE = (
    "08",  # connection exception
    "25006",  # read-only: a fail-over is under way
    "25P03",  # idle in transaction timeout
    "25P04",  # transaction timeout
    "26000",  # the prepared statement is gone, and with it what the session was
    "28",  # the server refuses the user: a password is being changed
    "3D",  # the server has no such database: it is being restored
    "40",  # serialization failure, deadlock
    "42P05",  # the prepared statement is there already: the session is another one
    "53",  # insufficient resources
    "55P03",  # lock not available
    "57P",  # shutdown, crash, cannot connect now
    "57014",  # statement timeout
    "58",  # the server's own disk or files fail
    "XX000",  # the server noticed an error of its own
)
_OTHER_SESSION = ("26000", "42P05")
_CONNECTION = (
    OSError,  # TimeoutError, ConnectionError and ssl.SSLError, too
    EOFError,  # asyncio.IncompleteReadError, too
    PoolTimeout,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # the driver lost track of a connection that broke in the middle of something
    asyncpg.PostgresConnectionError,
    asyncpg.InvalidCachedStatementError,  # a migration changed a table under a living connection
)
_INVALIDATED = "8s2b"
"""SQLAlchemy's code for a transaction whose connection broke."""


def unavailable(error: BaseException) -> Unavailable | None:
    """`Unavailable` if the same request may succeed a moment later, else None (SQLSTATE, PostgreSQL appendix A)."""
    cause = _cause(error)
    if not (is_retryable(cause) or getattr(error, "connection_invalidated", False)):
        return None
    return broken(cause)


def broken(error: BaseException) -> Unavailable:
    """What to say of a connection that broke, whatever its driver raised when it noticed."""
    note_outage(error)
    return Unavailable("The database cannot answer right now; try again in a moment.")


def is_retryable(error: BaseException | None) -> bool:
    """Whether the connection broke, or the server said that another try may succeed."""
    if isinstance(error, _CONNECTION):
        # asyncpg tells values that it cannot encode by the same family: they will not fit the next time either.
        return not isinstance(error, ValueError)
    return _state(error).startswith(_RETRYABLE) or _is_closed(error)


def leaves_session(error: BaseException) -> bool:
    """Whether a connection on which this was raised can be used again: the server said no, and nothing broke."""
    return isinstance(error, asyncpg.PostgresError) and not _state(error).startswith(_OTHER_SESSION)


def _cause(error: BaseException) -> BaseException:
    """What the driver raised, under what SQLAlchemy made of it."""
    if not isinstance(error, DBAPIError) or error.orig is None:
        return error
    return error.orig.__cause__ or error.orig


def _state(error: BaseException | None) -> str:
    state = getattr(error, "sqlstate", None)
    return state if isinstance(state, str) else ""


def _is_closed(error: BaseException | None) -> bool:
    """Whether something was to be sent over a transport, or by a transaction, whose connection had been closed."""
    if isinstance(error, PendingRollbackError):
        return error.code == _INVALIDATED
    return type(error) is RuntimeError and "closed" in str(error)  # so uvloop and asyncio say it


def sqlstate(error: DBAPIError) -> str:
    """The server's code for what went wrong (PostgreSQL, appendix A); empty if it said none."""
    return _state(error.orig)


def server_message(error: DBAPIError) -> str:
    """What the server said in one line, without the statement, its parameters, and the values in its details."""
    found = _cause(error)
    return str(getattr(found, "message", None) or found).partition("\n")[0]


class Duplicate(Exception):
    """A unique index refused a row; `constraint` is its name."""

    def __init__(self, constraint: str) -> None:
        super().__init__(constraint)
        self.constraint = constraint


def duplicate(error: IntegrityError) -> Duplicate | None:
    """The same as `Duplicate`, if a unique index it was."""
    cause = error.orig.__cause__ if error.orig is not None else None
    if isinstance(cause, asyncpg.UniqueViolationError):
        return Duplicate(cause.constraint_name or "")
    return None
