"""asyncpg's connection, without what it does to the session and to running statements by itself."""

import asyncio
from typing import Any, Final

import asyncpg

_STANDBY_WAIT: Final = "SyncRepWaitForLSN"
"""The function of PostgreSQL in which a commit waits for a standby. It warns only if the wait was cancelled."""
_FUNCTION: Final = "R"
"""The field of a message with the name of the function (PostgreSQL, 55.8). The text depends on the language."""


class StatelessConnection(asyncpg.Connection):  # type: ignore[misc]
    """A connection that changes no setting of its session.

    asyncpg switches `jit` off for the session while it reads the types of arrays, and then on again. Behind a pooler
    the two statements can reach two sessions. `jit` is off anyway, see `connecting.SERVER_SETTINGS`.
    """

    __slots__ = ()

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        capabilities: Any = self.__getattribute__("_server_caps")
        asyncpg.Connection.__setattr__(self, "_server_caps", capabilities._replace(jit=False))


class ServerConnection(StatelessConnection):
    """A connection that does not ask the server to cancel a statement after a time-out or a cancellation.

    A commit that waits for a synchronous standby ends when it is cancelled: its changes become visible, although they
    are not replicated (PostgreSQL, `SyncRepWaitForLSN`). Without the request they stay invisible until the standby has
    them. Other statements end by `statement_timeout`.
    """

    __slots__ = ("answered", "is_unconfirmed")

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.answered: asyncio.Future[None] | None = None
        """After a time-out or a cancellation: done when the server has answered, or the connection is closed."""
        self.is_unconfirmed = False
        """Whether a commit has ended without its standby, because an administrator has cancelled the wait."""

    def _cancel_current_command(
        self, waiter: "asyncio.Future[None]", cancel_waiter: "asyncio.Future[None] | None" = None
    ) -> None:
        """Called by asyncpg to send the request. *waiter* is done when it is sent, *cancel_waiter* at the answer."""
        waiter.set_result(None)
        self.answered = cancel_waiter

    def _process_log_message(self, fields: dict[str, str], last_query: str) -> None:
        """Called by asyncpg with a notice or a warning of the server."""
        self.is_unconfirmed = self.is_unconfirmed or fields.get(_FUNCTION) == _STANDBY_WAIT
        super()._process_log_message(fields, last_query)
