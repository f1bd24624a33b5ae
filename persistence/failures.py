"""Which of the database's failures mean "try again" and not "this is a bug"."""

import asyncpg
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from domain.errors import Unavailable

_RETRYABLE = (
    "08",  # connection exception
    "40",  # serialization failure, deadlock
    "53",  # insufficient resources
    "55P03",  # lock not available
    "57P",  # shutdown, crash, cannot connect now
    "57014",  # statement timeout
    "25P03",  # idle in transaction timeout
    "25006",  # read-only: a fail-over is under way
)
_CONNECTION = (
    OSError,
    TimeoutError,
    PoolTimeout,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.InvalidCachedStatementError,  # a migration changed a table under a living connection
)


def unavailable(error: BaseException) -> Unavailable | None:
    """`Unavailable` if the same request may succeed a moment later, else None (SQLSTATE, PostgreSQL appendix A)."""
    if isinstance(error, DBAPIError):
        cause = error.orig.__cause__ if error.orig is not None else None
        retryable = error.connection_invalidated or is_retryable(error.orig) or is_retryable(cause)
    else:
        retryable = is_retryable(error)
    return Unavailable("The database cannot answer right now; try again in a moment.") if retryable else None


def is_retryable(error: BaseException | None) -> bool:
    """Whether the connection broke, or the server said that another try may succeed."""
    if isinstance(error, _CONNECTION):
        # asyncpg tells values that it cannot encode by the same family: they will not fit the next time either.
        return not isinstance(error, ValueError)
    state = getattr(error, "sqlstate", None)
    return isinstance(state, str) and state.startswith(_RETRYABLE)


def sqlstate(error: DBAPIError) -> str:
    """The server's code for what went wrong (PostgreSQL, appendix A); empty if it said none."""
    return str(getattr(error.orig, "sqlstate", None) or "")


def server_message(error: DBAPIError) -> str:
    """What the server said in one line, without the statement, its parameters, and the values in its details."""
    cause = error.orig.__cause__ if error.orig is not None else None
    found = cause or error.orig
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
