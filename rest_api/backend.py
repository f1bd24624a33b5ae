"""The interface of the server process that the REST API needs."""

from typing import Protocol

from graphql_api.auth.accounts import Accounts
from graphql_api.auth.write_limits import WriteLimits
from persistence.database import Database
from streaming.stream import Stream


class RestBackend(Protocol):
    """Objects with the lifetime of the process."""

    @property
    def database(self) -> Database:
        """The database."""

    @property
    def accounts(self) -> Accounts:
        """Registration and sign-in, with their rate limits."""

    @property
    def write_limits(self) -> WriteLimits | None:
        """The limits of writes per user and per token; None: there are none."""

    @property
    def stream(self) -> Stream:
        """The event stream."""

    @property
    def cookie_secure(self) -> bool:
        """Whether cookies have the attribute `Secure`."""
