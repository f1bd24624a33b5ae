"""Which kind of connection pooler is between this process and PostgreSQL."""

from enum import StrEnum


class Pooler(StrEnum):
    """What `DATABASE_URL` leads to.

    A pooler can give each transaction another session of the server, so nothing may stay in a session after a
    transaction: no setting, no advisory lock, and no prepared statement that the pooler does not manage.
    """

    NONE = "none"
    """PostgreSQL itself. Connections set their time-outs when they start."""
    PREPARED = "prepared"
    """A pooler that manages prepared statements, or one that gives each connection a session."""
    UNPREPARED = "unprepared"
    """A pooler that does not manage prepared statements: each statement is sent without a name."""
