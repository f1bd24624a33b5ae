"""What the REST API needs of the process that serves it."""

from typing import Protocol

from graphql_api.auth.accounts import Accounts
from persistence.database import Database
from streaming.stream import Stream


class Backend(Protocol):
    """Objects that live as long as the process."""

    @property
    def database(self) -> Database:
        """The database."""

    @property
    def accounts(self) -> Accounts:
        """Registration and sign-in, with their limits."""

    @property
    def stream(self) -> Stream:
        """The stream of events."""

    @property
    def cookie_secure(self) -> bool:
        """Whether cookies get the `Secure` attribute."""
